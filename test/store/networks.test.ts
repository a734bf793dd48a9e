/** Networks, vNIC profiles and what PFs may serve. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { NetworkId, PciAddress, VnicId, VnicProfileId } from '../../src/base/ids.ts';
import type { PfConfig } from '../../src/model/network.ts';
import { aHost, aNetwork, aProfile, aVm, aVnic, newId } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
beforeEach(() =>
  connectTo(connection, (client) =>
    client.query(
      'delete from hosts; update vnic_profiles set failover_id = null; ' +
        'delete from vnic_profiles; delete from networks',
    ),
  ),
);

describe('networks', () => {
  test('are read back as they were added and changed, by name', async () => {
    const one = aNetwork(1, { name: 'prod', vlan: 42, label: 'fast', mtu: 9000, description: 'production' });
    const two = aNetwork(2, { name: 'mgmt' });
    await store.networks.add(one);
    await store.networks.add(two);
    expect(await store.networks.list()).toEqual([two, one]);
    const changed = { ...one, name: 'prod-2', vlan: null, mtu: null };
    await store.networks.update(changed);
    expect(await store.networks.get(one.id)).toEqual(changed);
    expect(await store.networks.get('prod' as NetworkId)).toBeNull();
  });

  test('have names of their own', async () => {
    const [one, two] = [aNetwork(1), aNetwork(2)];
    await store.networks.add(one);
    await store.networks.add(two);
    const taken = { code: 'ALREADY_EXISTS' };
    await expect(store.networks.add(aNetwork(3, { name: one.name }))).rejects.toMatchObject(taken);
    await expect(store.networks.update({ ...two, name: one.name })).rejects.toMatchObject(taken);
  });

  test('are not removed while they have profiles', async () => {
    const network = aNetwork(1);
    const profile = aProfile(1);
    await store.networks.add(network);
    await store.profiles.add(profile);
    await expect(store.networks.remove(network.id)).rejects.toMatchObject({ code: 'IN_USE' });
    await store.profiles.remove(profile.id);
    await store.networks.remove(network.id);
    await expect(store.networks.remove(network.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.networks.update(network)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('vNIC profiles', () => {
  test('are read back as they were added and changed', async () => {
    const network = aNetwork(1);
    const standby = aProfile(1, { name: 'b', passThrough: false });
    const fast = aProfile(2, { name: 'a', failoverId: standby.id, description: 'fast' });
    await store.networks.add(network);
    await store.profiles.add(standby);
    await store.profiles.add(fast);
    expect(await store.profiles.list()).toEqual([fast, standby]);
    const changed = { ...fast, migratable: false, portMirroring: true, failoverId: null };
    await store.profiles.update(changed);
    expect(await store.profiles.get(fast.id)).toEqual(changed);
    expect(await store.profiles.get('fast' as VnicProfileId)).toBeNull();
  });

  test('have a name of their own within their network, where case counts', async () => {
    const [one, two] = [aNetwork(1), aNetwork(2)];
    await store.networks.add(one);
    await store.networks.add(two);
    await store.profiles.add(aProfile(1, { networkId: one.id, name: 'fast' }));
    await store.profiles.add(aProfile(2, { networkId: one.id, name: 'FAST' }));
    await store.profiles.add(aProfile(3, { networkId: two.id, name: 'fast' }));
    const attempt = store.profiles.add(aProfile(4, { networkId: one.id, name: 'fast' }));
    await expect(attempt).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('need their network and their failover to be there', async () => {
    const network = aNetwork(1);
    await store.networks.add(network);
    const notFound = { code: 'NOT_FOUND' };
    await expect(store.profiles.add(aProfile(1, { networkId: newId() }))).rejects.toMatchObject(notFound);
    const dangling = aProfile(1, { failoverId: newId() });
    await expect(store.profiles.add(dangling)).rejects.toMatchObject(notFound);
    await expect(store.profiles.update(aProfile(1))).rejects.toMatchObject(notFound);
    await expect(store.profiles.remove(newId())).rejects.toMatchObject(notFound);
  });

  test('are not removed while a vNIC or another profile needs them', async () => {
    const network = aNetwork(1);
    const standby = aProfile(1, { passThrough: false });
    const fast = aProfile(2, { failoverId: standby.id });
    await store.networks.add(network);
    await store.profiles.add(standby);
    await store.profiles.add(fast);
    const host = aHost(1);
    const vm = aVm({ vnics: [aVnic(1, { profileId: fast.id })] });
    await store.hosts.add(host);
    await store.vms.observe({
      hostId: host.id,
      vms: [vm],
      stale: [],
      ageMs: 0,
      look: await store.hosts.nextLook(),
    });
    expect(await store.profiles.users(fast.id)).toEqual(vm.vnics);
    for (const id of [standby.id, fast.id]) {
      await expect(store.profiles.remove(id)).rejects.toMatchObject({ code: 'IN_USE' });
    }
    await store.vms.setVnicProfile(vm.vnics[0]?.id as VnicId, null, null);
    await store.profiles.remove(fast.id);
    await store.profiles.remove(standby.id);
  });
});

describe('PF configurations', () => {
  const pf = '0000:3b:00.0' as PciAddress;

  test('are kept per PF and replaced whole', async () => {
    const [one, two] = [aNetwork(1), aNetwork(2)];
    await store.networks.add(one);
    await store.networks.add(two);
    const [host, other] = [aHost(1), aHost(2)];
    await store.hosts.add(host);
    await store.hosts.add(other);
    const networkIds = [one.id, two.id].sort();
    const config: PfConfig = {
      hostId: host.id,
      pf,
      allNetworksAllowed: false,
      networkIds,
      labels: ['fast', 'red'],
    };
    await store.pfConfigs.put(config);
    await store.pfConfigs.put({ ...config, hostId: other.id });
    expect(await store.pfConfigs.list(host.id)).toEqual([config]);
    expect(await store.pfConfigs.list()).toHaveLength(2);
    const open: PfConfig = { hostId: host.id, pf, allNetworksAllowed: true, networkIds: [], labels: [] };
    await store.pfConfigs.put(open);
    expect(await store.pfConfigs.list(host.id)).toEqual([open]);
  });

  test('forget a network that is removed', async () => {
    const [network, host] = [aNetwork(1), aHost(1)];
    await store.networks.add(network);
    await store.hosts.add(host);
    await store.pfConfigs.put({
      hostId: host.id,
      pf,
      allNetworksAllowed: false,
      networkIds: [network.id],
      labels: [],
    });
    await store.networks.remove(network.id);
    expect(await store.pfConfigs.list(host.id)).toMatchObject([
      { allNetworksAllowed: false, networkIds: [] },
    ]);
  });

  test('name a host and networks that are there, else nothing changes', async () => {
    const host = aHost(1);
    await store.hosts.add(host);
    const config = {
      hostId: host.id,
      pf,
      allNetworksAllowed: false,
      networkIds: [newId<NetworkId>()],
      labels: [],
    };
    await expect(store.pfConfigs.put(config)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.pfConfigs.put({ ...config, networkIds: [], hostId: newId() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await store.pfConfigs.list()).toEqual([]);
  });
});
