/**
 * The API on a free port of the loopback, over a small world of `memory-use-cases.ts`: host-a with the PF
 * ens1f0 (two VFs, one in web-1), host-b with a PF and a free VF, network prod (VLAN 42) with a passthrough
 * and an ordinary profile.
 */
import type { FastifyInstance } from 'fastify';
import { createApi } from '../../src/api/create-api.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Role } from '../../src/model/access.ts';
import type { Domain } from '../../src/model/domain.ts';
import type { Pf } from '../../src/model/pf.ts';
import type { Vm } from '../../src/model/vm.ts';
import {
  aDomain,
  aHost,
  aNetwork,
  anInterface,
  anInventory,
  aPf,
  aProfile,
  aStandby,
  aVm,
  aVnic,
  vfAddress,
} from './builders.ts';
import { PASSWORD, USERS } from './memory-access.ts';
import { emptyWorld, type MemoryWorld, memoryUseCases } from './memory-use-cases.ts';

/** An entity in JSON. */
export type Json = Record<string, unknown> & { readonly id: string };
/** The entities of a collection that was answered. */
export const list = (answer: { json<T>(): T }, tag: string): Json[] =>
  answer.json<Record<string, Json[]>>()[tag] ?? [];

/** The PF `ens1f0`, whose first VF has a netdev and whose others are ready for guests. */
function ens1f0(vfCount: number): Pf {
  const pf = aPf('ens1f0', '3b', vfCount, { vfCountMax: 7 });
  const use = (index: number) =>
    index === 0 ? { driver: 'igbvf', netdev: 'enp59s0f0v0' } : { driver: 'vfio-pci' };
  return { ...pf, vfs: pf.vfs.map((vf, index) => ({ ...vf, ...use(index) })) };
}

/** The domain of a VM that runs, with its VFs. */
const domainOf = (vm: Vm): Domain =>
  aDomain(1, vm.name, {
    memoryKiB: vm.memoryKiB,
    vcpus: vm.vcpus,
    interfaces: vm.vnics.map(({ passthrough, alias, mac, managed, vf, bridge, vlan, model }) =>
      anInterface({ kind: passthrough ? 'hostdev' : 'bridge', alias, mac, managed, vf, bridge, vlan, model }),
    ),
  });

function standardWorld() {
  const world = emptyWorld();
  const prod = aNetwork(1, { name: 'prod', vlan: 42 });
  const vfProfile = aProfile(1, { name: 'prod-vf' });
  const plainProfile = aProfile(2, { name: 'prod', passThrough: false });
  const hostA = aHost(1, 'host-a');
  const hostB = aHost(2, 'host-b');
  const web1 = aVm({
    memoryKiB: 2 * 1024 * 1024,
    vcpus: 2,
    vnics: [aVnic(1, { vf: vfAddress(1) }), aStandby(2, { profileId: plainProfile.id })],
  });
  const nics = [{ name: 'eno1', mac: '52:54:00:aa:00:00', pciAddress: null, carrier: true }];
  const inventory = anInventory({ nics, memoryKiB: 16 * 1024 * 1024 });
  world.networks.push(prod);
  world.profiles.push(vfProfile, plainProfile);
  world.vms.push(web1);
  world.hosts.push(
    { ...hostA, inventory: { ...inventory, pfs: [ens1f0(2)], domains: [domainOf(web1)] }, observedAt: 0 },
    { ...hostB, inventory: { ...inventory, pfs: [ens1f0(1)] }, observedAt: 0 },
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
  /** The administrator's. */
  readonly token: string;
  /** A token of the user who has this role, and no other. */
  tokenOf(role: Role): Promise<string>;
  /** Asks below `/ovirt-engine/api` unless the path begins with `/`. */
  ask(
    method: string,
    path: string,
    options?: { body?: string; headers?: Record<string, string>; format?: 'xml' | 'json' },
  ): Promise<ClientAnswer>;
  close(): Promise<void>;
}

/** Starts one, with the web console of a folder if there is one; close it. */
export async function startApiServer(options: { readonly consoleDir?: string } = {}): Promise<ApiServer> {
  const parts = standardWorld();
  const useCases = memoryUseCases(parts.world);
  const app = createApi({
    useCases,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...options,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const tokenOf = async (role: Role) => (await useCases.signOn(USERS[role], PASSWORD, 'test')).token;
  const token = await tokenOf('SuperUser');
  return {
    ...parts,
    app,
    url,
    port: Number(new URL(url).port),
    token,
    tokenOf,
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
