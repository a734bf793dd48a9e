/**
 * The API on a free port of the loopback, over a small world of `memory-use-cases.ts`: host-a with the PF
 * ens1f0 (two VFs, one in web-1), host-b with a PF and a free VF, network prod (VLAN 42) with a passthrough
 * and an ordinary profile.
 */
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../src/api/create-api.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Mac, PciAddress } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Domain } from '../../src/model/domain.ts';
import type { Pf } from '../../src/model/pf.ts';
import type { Vm } from '../../src/model/vm.ts';
import { ADMIN, emptyWorld, type MemoryWorld, memoryUseCases } from './memory-use-cases.ts';
import { aHost, aNetwork, anInventory, aProfile, aVm, aVnic, vfAddress } from './nouns.ts';

/** A PF `ens1f0` whose first VF has a netdev and whose others have none. */
export const aPf = (vfCount: number): Pf => ({
  name: 'ens1f0',
  pciAddress: '0000:3b:00.0' as PciAddress,
  mac: '52:54:00:aa:00:01' as Mac,
  driver: 'igb',
  numaNode: 0,
  carrier: true,
  mtu: 1500,
  vfCountMax: 7,
  vfs: Array.from({ length: vfCount }, (_, index) => ({
    pciAddress: vfAddress(index),
    index,
    driver: index === 0 ? 'igbvf' : 'vfio-pci',
    netdev: index === 0 ? 'enp59s0f0v0' : null,
    netdevUse: null,
    iommuGroup: 40 + index,
    iommuGroupShared: false,
    numaNode: 0,
    attributes: null,
  })),
});

/** The domain of a VM that runs, with its VFs. */
export const aDomainOf = (vm: Vm): Domain => ({
  uuid: vm.id,
  name: vm.name,
  state: 'running',
  stateReason: 'booted',
  persistent: true,
  autostart: false,
  memoryKiB: vm.memoryKiB,
  vcpus: vm.vcpus,
  arch: 'x86_64',
  machine: 'pc-i440fx-10.0',
  numaNodes: [],
  interfaces: vm.vnics.map((vnic) => ({
    kind: vnic.passthrough ? ('hostdev' as const) : ('bridge' as const),
    alias: vnic.alias,
    mac: vnic.mac,
    managed: vnic.managed,
    vf: vnic.vf,
    network: null,
    bridge: vnic.bridge,
    vlan: vnic.vlan,
    guestAddress: null,
    model: vnic.model,
    driver: null,
    teaming: null,
    profile: null,
  })),
  configInterfaces: [],
  hostdevs: [],
  configHostdevs: [],
  disks: [],
  freePciePorts: null,
  agentConnected: false,
});

function standardWorld() {
  const world = emptyWorld();
  const prod = aNetwork({ name: 'prod', vlan: 42 });
  const vfProfile = aProfile(prod.id, { name: 'prod-vf' });
  const plainProfile = aProfile(prod.id, { name: 'prod', passThrough: false });
  const hostA = aHost({ name: 'host-a', status: 'up' });
  const hostB = aHost({ name: 'host-b', status: 'up' });
  const web1 = aVm({
    name: 'web-1',
    hostId: hostA.id,
    vnics: [
      aVnic({ name: 'nic1', vf: vfAddress(1), profileId: vfProfile.id }),
      aVnic({
        name: 'nic2',
        passthrough: false,
        vf: null,
        model: 'virtio',
        bridge: 'br0',
        profileId: plainProfile.id,
      }),
    ],
  });
  const bridges = [{ name: 'br0', up: true, uplinks: ['eno1'], mtu: 1500 }];
  const nics = [{ name: 'eno1', mac: '52:54:00:aa:00:00', pciAddress: null, carrier: true }];
  const inventory = anInventory({ bridges, nics });
  world.networks.push(prod);
  world.profiles.push(vfProfile, plainProfile);
  world.vms.push(web1);
  world.hosts.push(
    { ...hostA, inventory: { ...inventory, pfs: [aPf(2)], domains: [aDomainOf(web1)] }, observedAt: 0 },
    { ...hostB, inventory: { ...inventory, pfs: [aPf(1)] }, observedAt: 0 },
  );
  return { world, prod, vfProfile, plainProfile, hostA, hostB, web1 };
}

/** An answer as a client sees it. */
export interface ClientAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body parsed; fails on a body that is no JSON. */
  json<T = Record<string, unknown>>(): T;
}

/** A running API with its world and a client that is signed on. */
export interface ApiServer extends ReturnType<typeof standardWorld> {
  readonly world: MemoryWorld;
  readonly app: FastifyInstance;
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** Asks below `/ovirt-engine/api` unless the path begins with `/`. */
  ask(
    method: string,
    path: string,
    options?: { body?: string; headers?: Record<string, string>; format?: 'xml' | 'json' },
  ): Promise<ClientAnswer>;
  close(): Promise<void>;
}

/** Starts one; close it. */
export async function startApiServer(): Promise<ApiServer> {
  const parts = standardWorld();
  const useCases = memoryUseCases(parts.world);
  const app = createApi({ useCases, clock: systemClock, random: systemRandom, log: silentLog });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const { token } = await useCases.signOn(ADMIN.user, ADMIN.password);
  return {
    ...parts,
    app,
    url,
    port: Number(new URL(url).port),
    token,
    close: async () => await app.close(),
    ask: async (method, path, { body, headers = {}, format = 'json' } = {}) => {
      const answer = await fetch(url + (path.startsWith('/') ? path : `/ovirt-engine/api/${path}`), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: `application/${format}`,
          ...(body === undefined ? {} : { 'content-type': `application/${format}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        headers: answer.headers,
        text,
        json: <T>() => JSON.parse(text) as T,
      };
    },
  };
}
