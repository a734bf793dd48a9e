/**
 * A fleet in the database, as looks at its hosts would leave it: for `bench/api.ts`. Every host has two PFs
 * of 16 VFs and 20 VMs, each with one or two vNICs on VFs and a standby. The hosts are claimed, so that no
 * engine tries to reach them: another one watches them, for all it knows.
 */
import { createHash } from 'node:crypto';
import { systemRandom } from '../../src/base/random.ts';
import type { HostId, JobId, Mac, VmId, VnicId } from '../../src/base/ids.ts';
import { ADMIN } from '../../src/model/access.ts';
import type { Domain } from '../../src/model/domain.ts';
import type { Host } from '../../src/model/host.ts';
import type { Pf } from '../../src/model/pf.ts';
import type { Vm, Vnic } from '../../src/model/vm.ts';
import type { OpenStore } from '../../src/store/open-store.ts';
import {
  aDomain,
  aHost,
  anInterface,
  anInventory,
  aNetwork,
  aPf,
  aProfile,
  aStandby,
  aVm,
  aVnic,
  migrateParams,
  newId,
  networkId,
  profileId,
  vfAddress,
} from '../../test/support/builders.ts';

/** VMs of one host. */
export const VMS_PER_HOST = 20;
const NETWORKS = 8;
const VFS_PER_PF = 16;
/** Of the jobs nobody but this fleet works on. */
const OWNER = 'fleet';
const LEASE_MS = 24 * 3_600_000;
const BUSES = ['3b', '5e'] as const;

/** Networks and profiles, once. */
export async function addNetworks(store: OpenStore): Promise<void> {
  for (let n = 1; n <= NETWORKS; n++) {
    await store.networks.add(aNetwork(n, { name: `net-${n}`, vlan: 100 + n }));
    const network = networkId(n);
    await store.profiles.add(aProfile(n, { name: `net-${n}-vf`, networkId: network }));
    const plain = aProfile(NETWORKS + n, { name: `net-${n}`, networkId: network, passThrough: false });
    await store.profiles.add(plain);
  }
}

/** Adds hosts number `from` to `until` (without it) and their VMs. */
export async function addHosts(store: OpenStore, from: number, until: number): Promise<void> {
  for (let n = from; n < until; n++) {
    const host = aHost(n, `host-${String(n).padStart(3, '0')}`, {
      id: newId<HostId>(),
      inventory: null,
      observedAt: null,
    });
    await store.hosts.add(host);
    await store.hostClaims.take(OWNER, LEASE_MS);
    const vms = Array.from({ length: VMS_PER_HOST }, (_, at) => vmOf(host, n, at));
    const look = await store.hosts.nextLook();
    await store.hosts.setInventory(host.id, inventoryOf(host, vms), Date.now(), look);
    await store.vms.observe({ hostId: host.id, vms, stale: [], look, ageMs: 0 });
  }
}

/** Migrations under way of every 200th VM, so that some are shown as migrating. */
export async function addJobs(store: OpenStore): Promise<void> {
  const vms = await store.vms.list();
  for (const vm of vms.filter((_, at) => at % 200 === 0)) {
    const params = migrateParams(vm.hostId as HostId, { vmId: vm.id, vmName: vm.name });
    await store.jobs.add(newId<JobId>(), params, vm.name, null);
    await store.jobs.saga.claimNext(OWNER, LEASE_MS);
  }
}

/** Sessions of the administrator, each with a token of its own: what as many sign-ons would leave. */
export async function addSessions(store: OpenStore, count: number): Promise<string[]> {
  const admin = await store.users.get(ADMIN);
  if (!admin) throw new Error('the engine has made no administrator');
  const endsAt = Date.now() + 10 * 3_600_000;
  const tokens = Array.from({ length: count }, () => systemRandom.bytes(32).toString('base64url'));
  for (const token of tokens) {
    const tokenHash = createHash('sha256').update(token).digest('hex');
    const session = { tokenHash, user: ADMIN, expiresAt: Date.now() + 30 * 60_000, endsAt };
    if (!(await store.sessions.add(session, admin.passwordHash))) throw new Error('a session was refused');
  }
  return tokens;
}

function vmOf(host: Host, n: number, at: number): Vm {
  const number = n * VMS_PER_HOST + at;
  const network = number % NETWORKS;
  const byte = (shift: number) => ((number >> shift) & 255).toString(16).padStart(2, '0');
  const macOf = (last: number) => `52:54:${byte(16)}:${byte(8)}:${byte(0)}:0${last}`;
  const vnics: Vnic[] = BUSES.slice(0, 1 + (at % 2 === 0 && at < VFS_PER_PF ? 1 : 0)).map((bus, index) =>
    aVnic(index + 1, {
      id: newId<VnicId>(),
      mac: macOf(index + 1) as Mac,
      alias: `ua-vf${index}`,
      vf: vfAddress(at % VFS_PER_PF, at < VFS_PER_PF ? bus : BUSES[1]),
      profileId: profileId(network + 1),
      vlan: 101 + network,
    }),
  );
  vnics.push(
    aStandby(vnics.length + 1, {
      id: newId<VnicId>(),
      mac: macOf(0) as Mac,
      alias: 'net0',
      profileId: profileId(NETWORKS + network + 1),
    }),
  );
  return aVm({
    id: newId<VmId>(),
    name: `vm-${String(number).padStart(5, '0')}.prod.example.com`,
    hostId: host.id,
    memoryKiB: 4 * 1024 * 1024 * (1 + (at % 4)),
    vcpus: 2 * (1 + (at % 4)),
    vnics,
  });
}

function inventoryOf(host: Host, vms: readonly Vm[]): NonNullable<Host['inventory']> {
  const pfs = BUSES.map((bus, index) => withAttributes(aPf(`ens${index + 1}f0`, bus, VFS_PER_PF)));
  const domains: Domain[] = vms.map((vm) => {
    const interfaces = vm.vnics.map(({ passthrough, alias, mac, vf, bridge, vlan, model }) =>
      anInterface({ kind: passthrough ? 'hostdev' : 'bridge', alias, mac, vf, bridge, vlan, model }),
    );
    return aDomain(1, vm.name, {
      uuid: vm.id,
      memoryKiB: vm.memoryKiB,
      vcpus: vm.vcpus,
      interfaces,
      configInterfaces: interfaces,
    });
  });
  return anInventory({ hostname: host.name, hostUuid: host.id, pfs, domains, cpuCount: 64 });
}

const withAttributes = (pf: Pf): Pf => ({
  ...pf,
  vfs: pf.vfs.map((vf) => ({
    ...vf,
    driver: 'vfio-pci',
    attributes: {
      mac: '02:00:00:00:00:00' as Mac,
      vlan: 0,
      trust: false,
      spoofCheck: true,
      linkState: 'auto',
      rateMbitMin: 0,
      rateMbitMax: 0,
    },
  })),
});

/** PCI buses of the PFs of a host with many. */
const WIDE_BUSES = ['11', '12', '13', '14', '21', '22', '23', '24'] as const;
const WIDE_VFS_PER_PF = 128;

/** Adds a host with eight PFs of 128 VFs, every fourth of them in a VM. */
export async function addWideHost(store: OpenStore, name: string): Promise<void> {
  const host = aHost(999, name, { id: newId<HostId>(), inventory: null, observedAt: null });
  await store.hosts.add(host);
  await store.hostClaims.take(OWNER, LEASE_MS);
  const pfs = WIDE_BUSES.map((bus, at) => withAttributes(aPf(`wide${at}`, bus, WIDE_VFS_PER_PF)));
  const domains = pfs.map((pf, at) =>
    aDomain(1, `wide-${at}`, {
      uuid: newId<VmId>(),
      interfaces: pf.vfs
        .filter(({ index }) => index % 4 === 0)
        .map(({ pciAddress }) => anInterface({ kind: 'hostdev', vf: pciAddress })),
    }),
  );
  const inventory = anInventory({ hostname: name, hostUuid: host.id, pfs, domains });
  await store.hosts.setInventory(host.id, inventory, Date.now(), await store.hosts.nextLook());
}
