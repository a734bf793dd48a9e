/**
 * Turns what was seen on a host into VMs and vNICs. Pure. Ids and settings of VMs already known are kept by
 * the store's merge; here every vNIC gets what can be said from the domain alone.
 */
import type { HostId, NetworkId, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import type { Domain, DomainInterface } from '../model/domain.ts';
import { isActive } from '../model/domain.ts';
import type { HostInventory } from '../model/host.ts';
import type { Network, VnicProfile } from '../model/network.ts';
import type { Vm, VmStatus, Vnic } from '../model/vm.ts';
import type { VmObservation } from './store-port.ts';

/** What adoption depends on. */
export interface AdoptFacts {
  readonly hostId: HostId;
  readonly inventory: HostInventory;
  readonly networks: readonly Network[];
  readonly profiles: readonly VnicProfile[];
  /** VMs known to run (actively) on other hosts: an inactive definition of theirs here is stale. */
  readonly activeElsewhere: ReadonlySet<VmId>;
  readonly random: Random;
}

/** What one look means for the VMs of that host. */
export function adopt(facts: AdoptFacts): Omit<VmObservation, 'ageMs' | 'look'> {
  const vms: Vm[] = [];
  const stale: VmId[] = [];
  for (const domain of facts.inventory.domains) {
    // An incoming domain belongs to the migration that brings it, not to this host yet.
    if (
      isActive(domain) &&
      domain.state === 'paused' &&
      ['migration', 'starting_up'].includes(domain.stateReason)
    )
      continue;
    if (!isActive(domain) && facts.activeElsewhere.has(domain.uuid)) stale.push(domain.uuid);
    else vms.push(vmOf(facts, domain));
  }
  return { hostId: facts.hostId, vms, stale };
}

function vmOf(facts: AdoptFacts, domain: Domain): Vm {
  return {
    id: domain.uuid,
    name: domain.name,
    hostId: facts.hostId,
    status: statusOf(domain),
    starting: false,
    memoryKiB: domain.memoryKiB,
    vcpus: domain.vcpus,
    vnics: vnicsOf(facts, domain),
    staleOn: [],
  };
}

function statusOf(domain: Domain): VmStatus {
  switch (domain.state) {
    case 'running':
    case 'blocked':
      return 'up';
    case 'paused':
    case 'pm_suspended':
      return 'paused';
    case 'shutdown':
      return 'powering_down';
    case 'shut_off':
    case 'crashed':
      return 'down';
    case 'no_state':
      return 'unknown';
  }
}

/** Live interfaces, and those the definition names beside them. */
function vnicsOf(facts: AdoptFacts, domain: Domain): Vnic[] {
  const live = isActive(domain) ? domain.interfaces : [];
  const known = new Set(live.map((each) => each.mac));
  const onlyDefined = (isActive(domain) ? domain.configInterfaces : domain.interfaces).filter(
    (each) => !known.has(each.mac),
  );
  const all = [
    ...live.map((each) => ({ each, live: true })),
    ...onlyDefined.map((each) => ({ each, live: false })),
  ];
  return all.map(({ each, live: plugged }, index) => vnicOf(facts, domain, each, plugged, index));
}

function vnicOf(
  facts: AdoptFacts,
  domain: Domain,
  each: DomainInterface,
  live: boolean,
  index: number,
): Vnic {
  const passthrough = each.kind === 'hostdev' || each.kind === 'hostdev_pool';
  return {
    id: facts.random.uuid() as VnicId,
    vmId: domain.uuid,
    name: `nic${index + 1}`,
    alias: each.alias,
    mac: each.mac,
    passthrough,
    model: passthrough ? null : each.model,
    bridge: each.bridge,
    profileId: profileOf(facts, each, passthrough),
    // Of a running VM only what is in it now is desired: whoever took the rest out before we came meant it.
    plugged: live || !isActive(domain),
    kept: false,
    actual: live ? 'plugged' : 'unplugged',
    vf: live ? each.vf : null,
    managed: each.managed,
    vlan: each.vlan,
    guestAddress: each.guestAddress,
    traitsXml: each.traitsXml,
    pool: each.kind === 'hostdev_pool' ? each.network : null,
    unpluggedXml: null,
    blocker: blockerOf(each),
  };
}

function blockerOf(each: DomainInterface): string | null {
  if (each.teaming === 'transient') {
    return (
      'it is the transient half of a teaming pair, which QEMU unplugs by itself; Handover does ' +
      'not move such pairs. Remove <teaming> and use a bond in the guest'
    );
  }
  return null;
}

/**
 * The profile named in the domain's metadata; else, for a VF, the only passthrough profile of the network
 * with its VLAN tag; else none. Ordinary vNICs get the only ordinary profile of the network named like their
 * bridge, if there is one.
 */
function profileOf(facts: AdoptFacts, each: DomainInterface, passthrough: boolean): VnicProfileId | null {
  if (each.profile !== null) {
    const named = facts.profiles.filter(
      (profile) => profile.name === each.profile && profile.passThrough === passthrough,
    );
    if (named.length === 1) return named[0]?.id ?? null;
  }
  const networks = new Set<NetworkId>(
    facts.networks
      .filter((network) => (passthrough ? network.vlan === each.vlan : network.name === each.bridge))
      .map((network) => network.id),
  );
  const fitting = facts.profiles.filter(
    (profile) => profile.passThrough === passthrough && networks.has(profile.networkId),
  );
  return fitting.length === 1 ? (fitting[0]?.id ?? null) : null;
}
