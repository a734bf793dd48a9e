/**
 * Use cases on hosts: add, change, remove, refresh, test access between them, and what their VFs are used
 * for.
 */
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { answers, type Host, isPeerUri, type PeerTest, peerUriOf } from '../model/host.ts';
import type { PfConfig } from '../model/network.ts';
import { pfKey } from '../scheduler/plan-migration.ts';
import { vfUse, vfUsers } from '../scheduler/vf-use.ts';
import { beginMaintenance, endMaintenance } from './maintenance.ts';
import { beginLook, hostById, observeHost, storeInventory } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { Caller, NewHost, UseCases, VfUse } from './use-cases.ts';
import { surveyNow } from './survey.ts';
import { setVfCount } from './vf-count.ts';

/** oVirt's names: letters, digits, dots, dashes and underscores. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;
const MIGRATIONS_MAX = 100;

type HostCases = Pick<
  UseCases,
  | 'listHosts'
  | 'getHost'
  | 'addHost'
  | 'updateHost'
  | 'removeHost'
  | 'refreshHost'
  | 'testPeers'
  | 'vfUses'
  | 'surveyFleet'
  | 'listPfConfigs'
  | 'setPfConfig'
  | 'setMaintenance'
  | 'setVfCount'
>;

/** The host use cases. */
export function hostCases(parts: AppParts): HostCases {
  const { store } = parts;
  return {
    listHosts: () => store.hosts.list(),
    getHost: (_caller, id) => hostById(parts, id),
    addHost: (_caller, host) => addHost(parts, host),
    updateHost: (_caller, id, changes) => updateHost(parts, id, changes),
    async removeHost(_caller, id) {
      await hostById(parts, id);
      await store.hosts.remove(id);
      await parts.hypervisors.forget(id);
    },
    async refreshHost(_caller, id) {
      await observeHost(parts, id);
      await testAllPeers(parts, id);
      return hostById(parts, id);
    },
    testPeers: (_caller, id) => testAllPeers(parts, id),
    vfUses: (_caller, id) => vfUses(parts, id),
    surveyFleet: () => surveyNow(parts),
    async listPfConfigs(_caller, id) {
      await hostById(parts, id);
      return store.pfConfigs.list(id);
    },
    setPfConfig: (_caller, config) => setPfConfig(parts, config),
    setMaintenance: (caller, id, on) => (on ? beginMaintenance : endMaintenance)(parts, caller, id),
    setVfCount: (caller, change) => setVfCount(parts, caller, change),
  };
}

function checkSettings(host: Partial<NewHost>): void {
  if (host.peerUri != null && !isPeerUri(host.peerUri)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `"${host.peerUri}" is no URI that another host's libvirtd can dial; write it like ` +
        `qemu+ssh://root@HOST/system`,
    );
  }
  for (const name of ['outgoingMax', 'incomingMax'] as const) {
    const value = host[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= MIGRATIONS_MAX)) {
      throw new HandoverError(
        'INVALID_INPUT',
        `${name} is ${value}; it must be a whole number from 1 to ${MIGRATIONS_MAX}`,
      );
    }
  }
}

async function addHost(parts: AppParts, wanted: NewHost): Promise<Host> {
  const { store, random, hypervisors } = parts;
  if (!NAME.test(wanted.name)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `"${wanted.name}" is no host name; use letters, digits, dots, dashes and underscores`,
    );
  }
  checkSettings(wanted);
  const hosts = await store.hosts.list();
  if (hosts.some((host) => host.name === wanted.name))
    throw new HandoverError('ALREADY_EXISTS', `there is a host named ${wanted.name} already`);
  const host: Host = {
    id: random.uuid() as HostId,
    name: wanted.name,
    uri: wanted.uri,
    peerUri: wanted.peerUri ?? null,
    migrationAddress: wanted.migrationAddress ?? null,
    status: 'connecting',
    statusReason: null,
    outgoingMax: wanted.outgoingMax ?? 2,
    incomingMax: wanted.incomingMax ?? 2,
    inventory: null,
    observedAt: null,
    peerTests: {},
  };
  const began = await beginLook(parts);
  try {
    const inventory = await hypervisors.host(host).observe();
    const twin = hosts.find((other) => other.inventory?.hostUuid === inventory.hostUuid);
    if (twin) {
      throw new HandoverError(
        'ALREADY_EXISTS',
        `${wanted.uri} is the same machine as host ${twin.name} (libvirt host UUID ${inventory.hostUuid})`,
      );
    }
    await store.hosts.add(host);
    await storeInventory(parts, host, inventory, began);
  } catch (thrown) {
    await hypervisors.forget(host.id);
    throw thrown;
  }
  await testAllPeers(parts, host.id);
  return hostById(parts, host.id);
}

async function updateHost(parts: AppParts, id: HostId, changes: Partial<NewHost>): Promise<Host> {
  const host = await hostById(parts, id);
  checkSettings(changes);
  if (changes.name !== undefined && !NAME.test(changes.name)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `"${changes.name}" is no host name; use letters, digits, dots, dashes and underscores`,
    );
  }
  if (changes.uri !== undefined && changes.uri !== host.uri) {
    // Tried before it is stored: a wrong URI must not cut off a host that works.
    const probe = { ...host, id: parts.random.uuid() as HostId, uri: changes.uri };
    try {
      const inventory = await parts.hypervisors.host(probe).observe();
      if (host.inventory && host.inventory.hostUuid !== inventory.hostUuid) {
        throw new HandoverError(
          'INVALID_INPUT',
          `${changes.uri} is another machine than ${host.name}; add it as a new host`,
        );
      }
    } finally {
      await parts.hypervisors.forget(probe.id);
    }
  }
  const renamed = changes.name !== undefined && changes.name !== host.name;
  const moved = changes.uri !== undefined && changes.uri !== host.uri;
  const busy = (await parts.store.jobs.list({ live: true })).find((job) =>
    [job.sourceHostId, job.targetHostId, job.params.targetHostId].includes(id),
  );
  // Both would cut the connections that the job works on.
  if (busy && (renamed || moved)) {
    const what = busy.kind === 'drill_vm' ? 'drill' : 'migration';
    throw new HandoverError(
      'IN_USE',
      `${host.name} takes part in the ${what} of ${busy.vmName} (job ${busy.id}); change its name or URI ` +
        `when that has ended`,
    );
  }
  await parts.store.hosts.updateSettings(id, changes);
  if (changes.uri !== undefined) await parts.hypervisors.forget(id);
  return hostById(parts, id);
}

/**
 * Tests both directions between a host and every other one that is up; what fails is recorded, not thrown.
 */
export async function testAllPeers(parts: AppParts, id: HostId): Promise<ReadonlyMap<HostId, PeerTest>> {
  const hosts = await parts.store.hosts.list();
  const self = hosts.find((host) => host.id === id);
  const results = new Map<HostId, PeerTest>();
  if (!self || !answers(self)) return results;
  const others = hosts.filter((other) => other.id !== id && answers(other));
  await Promise.all(
    others.map(async (other) => {
      const [there] = await Promise.all([testPeer(parts, self, other), testPeer(parts, other, self)]);
      if (there) results.set(other.id, there);
    }),
  );
  return results;
}

/** One ordered pair. null: nobody can try, the source has no host channel. */
async function testPeer(parts: AppParts, source: Host, target: Host): Promise<PeerTest | null> {
  const peerUri = peerUriOf(target);
  if (peerUri === null) return null;
  try {
    const { ok, message } = await parts.hypervisors.host(source).testPeer(peerUri);
    const test: PeerTest = { ok, message, testedAt: parts.clock.now() };
    await parts.store.hosts.setPeerTest(source.id, target.id, test);
    return test;
  } catch (thrown) {
    if (!isCode(thrown, 'HOST_CHANNEL_UNAVAILABLE')) {
      parts.log.warn('peer test not done', {
        source: source.name,
        target: target.name,
        error: explain(thrown),
      });
    }
    return null;
  }
}

async function vfUses(parts: AppParts, id: HostId): Promise<VfUse[]> {
  const host = await hostById(parts, id);
  if (!host.inventory) return [];
  const users = vfUsers(host.inventory);
  const reservations = new Map(
    (await parts.store.reservations.list({ hostId: id })).map((each) => [each.vf, each]),
  );
  return host.inventory.pfs.flatMap((pf) =>
    pf.vfs.map((vf) => vfUse(vf, users.get(vf.pciAddress), reservations.get(vf.pciAddress))),
  );
}

async function setPfConfig(parts: AppParts, config: PfConfig): Promise<void> {
  const host = await hostById(parts, config.hostId);
  const key = pfKey(config.hostId, config.pf);
  if (!host.inventory?.pfs.some((pf) => pf.pciAddress === config.pf)) {
    throw new HandoverError(
      'NOT_FOUND',
      `host ${host.name} has no SR-IOV network card at ${key.split('/')[1]}`,
    );
  }
  const known = new Set((await parts.store.networks.list()).map((network) => network.id));
  const unknown = config.networkIds.find((networkId) => !known.has(networkId));
  if (unknown) throw new HandoverError('NOT_FOUND', `there is no network with the id ${unknown}`);
  // Switching to all networks clears the lists, as oVirt does (ovirt.md 2.9).
  await parts.store.pfConfigs.put(
    config.allNetworksAllowed ? { ...config, networkIds: [], labels: [] } : config,
  );
}

/** Callers are checked by the API's sign-on; kept in every signature for the roles to come with it. */
export type { Caller };
