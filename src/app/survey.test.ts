/** The fleet at a glance. */
import { expect, test } from 'vitest';
import { aHost, aNetwork, anInventory, aPf, hostId, networkId, pci } from '../../test/support/builders.ts';
import type { Host } from '../model/host.ts';
import { survey, type SurveyFacts } from './survey.ts';

const inventory = anInventory({ pfs: [aPf('ens1f0', '3b', 4), aPf('ens2f0', '5e', 2)] });
const hosts: readonly Host[] = [
  aHost(1, 'host-a', { inventory }),
  aHost(2, 'host-b', { inventory, status: 'maintenance' }),
];
const FACTS: SurveyFacts = {
  hosts,
  networks: [aNetwork(1, { label: 'fast' }), aNetwork(2, { label: null })],
  pfConfigs: [],
  reservations: [],
  liveJobs: [],
  vmCounts: [
    { hostId: hostId(1), status: 'up', count: 3 },
    { hostId: hostId(1), status: 'down', count: 1 },
    { hostId: null, status: 'up', count: 2 },
  ],
};

test('counts VMs by host and by state', () => {
  const { hosts: seen, vms } = survey(FACTS);
  expect(seen.map(({ host, vmCount, runningCount }) => [host.name, vmCount, runningCount])).toEqual([
    ['host-a', 4, 3],
    ['host-b', 0, 0],
  ]);
  expect(vms).toEqual([
    { status: 'up', count: 5 },
    { status: 'down', count: 1 },
  ]);
});

test('counts for a network the VFs of PFs that may serve it, on hosts that take VMs', () => {
  const config = {
    hostId: hostId(1),
    pf: pci('0000:5e:00.0'),
    allNetworksAllowed: false,
    networkIds: [],
    labels: ['fast'],
  };
  const { networks } = survey({ ...FACTS, pfConfigs: [config] });
  expect(networks.map(({ network, vfs }) => [network.id, vfs.total])).toEqual([
    [networkId(1), 6],
    [networkId(2), 4],
  ]);
});

test('does not count a reserved VF as free', () => {
  const vf = inventory.pfs[0]?.vfs[0]?.pciAddress ?? pci('0000:00:00.0');
  const reservation = {
    hostId: hostId(1),
    vf,
    jobId: null,
    vmId: 'x' as never,
    vnicId: 'y' as never,
    side: 'target' as const,
  };
  const [first] = survey({ ...FACTS, reservations: [reservation] }).hosts;
  expect(first?.vfs).toEqual({ total: 6, free: 5 });
});
