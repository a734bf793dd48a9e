/** Hosts, networks, profiles and PF configurations of the in-memory store. */
import type { Store } from '../../../src/app/store-port.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import type { HostId } from '../../../src/base/ids.ts';
import type { Host } from '../../../src/model/host.ts';
import { found, given, sortedBy, type Tables } from './tables.ts';
import { profileUsesOf } from './vm-part.ts';

function refuseTaken(taken: boolean, what: string): void {
  if (taken) throw new HandoverError('ALREADY_EXISTS', `there is a ${what} already`);
}

/** The `hosts` part. */
export function memoryHosts(tables: Tables): Store['hosts'] {
  const { hosts } = tables;
  const change = (id: HostId, how: (host: Host) => Partial<Host>) => {
    const host = found(hosts.get(id), 'host', id);
    hosts.set(id, { ...host, ...how(host) });
  };
  const nameTaken = (name: string | undefined, not: HostId) =>
    refuseTaken(
      [...hosts.values()].some((each) => each.name === name && each.id !== not),
      `host named ${name}`,
    );
  return {
    list: async () => sortedBy(hosts.values(), (host) => host.name),
    listHeads: async () =>
      sortedBy(hosts.values(), (host) => host.name).map(
        ({ inventory: _, observedAt: __, peerTests: ___, ...head }) => head,
      ),
    get: async (id) => hosts.get(id) ?? null,
    async add(host) {
      nameTaken(host.name, host.id);
      hosts.set(host.id, host);
    },
    setStatus: async (id, status, statusReason) =>
      change(id, (host) => ({
        status: host.status === 'maintenance' && status === 'non_responsive' ? host.status : status,
        statusReason,
      })),
    nextLook: async () => ++tables.lastLook,
    async setInventory(id, inventory, observedAt, look) {
      found(hosts.get(id), 'host', id);
      if (!tables.isLater(tables.looksAtInventory, id, look)) return;
      change(id, (host) => ({
        inventory,
        observedAt,
        ...(host.status === 'maintenance' ? {} : { status: 'up' as const }),
        statusReason: null,
      }));
    },
    async setPeerTest(id, target, test) {
      found(hosts.get(target), 'host', target);
      change(id, (host) => ({ peerTests: { ...host.peerTests, [target]: test } }));
    },
    async updateSettings(id, settings) {
      nameTaken(settings.name, id);
      change(id, () => given(settings));
    },
    async remove(id) {
      const { name } = found(hosts.get(id), 'host', id);
      for (const { job } of tables.live.values())
        if ([job.sourceHostId, job.targetHostId, job.params.targetHostId].includes(id))
          throw new HandoverError('IN_USE', `host ${name} takes part in migrating ${job.vmName}`);
      hosts.delete(id);
      tables.stale.delete(id);
      tables.claims.delete(id);
      for (const [key, closed] of tables.closures) if (closed.hostId === id) tables.closures.delete(key);
      for (const [key, held] of tables.reservations) if (held.hostId === id) tables.reservations.delete(key);
      for (const vm of [...tables.vms.values()]) if (vm.hostId === id) tables.removeVm(vm.id);
    },
  };
}

/** The `networks` part. */
export function memoryNetworks(tables: Tables): Store['networks'] {
  const { networks } = tables;
  return {
    list: async () => sortedBy(networks.values(), (network) => network.name),
    get: async (id) => networks.get(id) ?? null,
    async add(network) {
      refuseTaken(
        [...networks.values()].some((each) => each.name === network.name),
        `network named ${network.name}`,
      );
      networks.set(network.id, network);
    },
    async update(network) {
      found(networks.get(network.id), 'network', network.id);
      networks.set(network.id, network);
    },
    async remove(id) {
      if ([...tables.profiles.values()].some((profile) => profile.networkId === id))
        throw new HandoverError('IN_USE', 'the network has vNIC profiles; delete those first');
      found(networks.get(id), 'network', id);
      networks.delete(id);
    },
  };
}

/** The `profiles` part. */
export function memoryProfiles(tables: Tables): Store['profiles'] {
  const { profiles } = tables;
  const users = (id: string) => [...tables.vnics.values()].flat().filter((vnic) => vnic.profileId === id);
  return {
    list: async () => sortedBy(profiles.values(), (profile) => `${profile.name} ${profile.id}`),
    get: async (id) => profiles.get(id) ?? null,
    async add(profile) {
      const same = [...profiles.values()].filter((each) => each.networkId === profile.networkId);
      refuseTaken(
        same.some((each) => each.name === profile.name),
        `vNIC profile named ${profile.name}`,
      );
      found(tables.networks.get(profile.networkId), 'network', profile.networkId);
      profiles.set(profile.id, profile);
    },
    async update(profile) {
      found(profiles.get(profile.id), 'vNIC profile', profile.id);
      profiles.set(profile.id, profile);
    },
    async remove(id) {
      found(profiles.get(id), 'vNIC profile', id);
      if (users(id).length > 0) throw new HandoverError('IN_USE', 'the vNIC profile is used by vNICs');
      profiles.delete(id);
    },
    users: async (id) => users(id),
    uses: async (vmsMax) =>
      profileUsesOf(
        [...tables.vms.values()].map(({ id, name }) => ({ id, name, vnics: tables.vnics.get(id) ?? [] })),
        vmsMax,
      ),
  };
}

/** The `pfConfigs` part. */
export function memoryPfConfigs(tables: Tables): Store['pfConfigs'] {
  const { pfConfigs } = tables;
  return {
    list: async (hostId) =>
      sortedBy(pfConfigs.values(), (each) => `${each.hostId} ${each.pf}`).filter(
        (each) => hostId === undefined || each.hostId === hostId,
      ),
    async put(config) {
      found(tables.hosts.get(config.hostId), 'host', config.hostId);
      pfConfigs.set(`${config.hostId} ${config.pf}`, config);
    },
  };
}
