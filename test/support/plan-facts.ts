/** Facts for plans: `web-1` with one VF and its standby on `host-a`, and `host-b`, which could take it. */
import { untoldGuest } from '../../src/model/guest.ts';
import type { Host } from '../../src/model/host.ts';
import type { Pf } from '../../src/model/pf.ts';
import type { MigrationPlan } from '../../src/model/plan.ts';
import type { PlanFacts } from '../../src/scheduler/plan-migration.ts';
import {
  aDomain,
  aHost,
  anInventory,
  aNetwork,
  aPf,
  aProfile,
  aStandby,
  aVm,
  aVnic,
  hostId,
  networkId,
  profileId,
  vmId,
} from './builders.ts';

/** On any host, with its disks left where they are. */
export const ANY = { targetHostId: null, copyStorage: false };

export function planFacts(overrides: Partial<PlanFacts> = {}): PlanFacts {
  const source = aHost(1, 'host-a', { inventory: anInventory({ pfs: [aPf('ens1f0', '3b', 2)] }) });
  const target = aHost(2, 'host-b', { inventory: anInventory({ pfs: [aPf('ens2f0', '5e', 2)] }) });
  return {
    vm: aVm({ vnics: [aVnic(1), aStandby(2)] }),
    domain: aDomain(1, 'web-1'),
    guest: untoldGuest(vmId(1)),
    hosts: [source, target],
    networks: new Map([[networkId(1), aNetwork(1)]]),
    profiles: new Map([[profileId(1), aProfile(1)]]),
    pfConfigs: new Map(),
    reservations: new Map(),
    promisedMemoryKiB: new Map(),
    imagesOn: new Map(),
    forJob: null,
    now: 0,
    ...overrides,
  };
}

/** Facts whose target has these PFs and, by override, anything else. */
export function withTarget(pfs: Pf[], overrides: Partial<Host> = {}, inventory = {}): PlanFacts {
  const base = planFacts();
  const target = aHost(2, 'host-b', { inventory: anInventory({ pfs, ...inventory }), ...overrides });
  return { ...base, hosts: [base.hosts[0] as Host, target] };
}

/** What a plan says of `host-b`. */
export const onTarget = (plan: MigrationPlan) => plan.hosts.find((host) => host.hostId === hostId(2));
/** Codes of what it has against `host-b`. */
export const codes = (plan: MigrationPlan) => onTarget(plan)?.reasons.map((reason) => reason.code);
