/**
 * What is true of all simulated hosts at one moment, as plain JSON: for checkers in another process, which
 * must not ask through the product they check.
 */
import type { SimDomain } from '../domain.ts';
import type { SimFleet } from '../fleet.ts';
import type { SimHost } from '../host.ts';
import { formatXml } from '../xml.ts';

/** A domain; numbers of state and reason are libvirt's. */
export interface DomainState {
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
  readonly state: number;
  readonly reason: number;
  readonly autostart: boolean;
  /** Definition and live XML as libvirt keeps them; null = none. */
  readonly config: string | null;
  readonly live: string | null;
  /** Live alias -> PCI address of the VF. */
  readonly vfs: Readonly<Record<string, string>>;
  /** `migration out`, `migration in` or null. */
  readonly job: string | null;
  readonly guest: GuestState | null;
}

/** The guest in a domain's QEMU; in one whose memory was sent elsewhere, the copy that stands still. */
export interface GuestState {
  readonly running: boolean;
  readonly agentUp: boolean;
  /** Aliases asked for and not given back. */
  readonly pendingUnplugs: readonly string[];
  readonly nics: readonly { readonly alias: string; readonly mac: string; readonly passthrough: boolean }[];
  /** Alias of the interface that carries its traffic; null = none does. */
  readonly activeNic: string | null;
}

/** A VF and what its PF keeps for it. */
export interface VfState {
  readonly pciAddress: string;
  readonly pf: string;
  readonly index: number;
  readonly driver: string | null;
  readonly mac: string;
  readonly vlan: number;
  /** Name of the domain that has it. */
  readonly holder: string | null;
}

/** A host. */
export interface HostState {
  readonly name: string;
  readonly powered: boolean;
  readonly libvirtdUp: boolean;
  readonly memoryFreeKiB: number;
  readonly domains: readonly DomainState[];
  readonly vfs: readonly VfState[];
  readonly carrier: Readonly<Record<string, boolean>>;
  /** Disk images made over the host channel. */
  readonly files: readonly string[];
}

/** The state of every host, in the order of the inventory. */
export function fleetState(fleet: SimFleet): HostState[] {
  return [...fleet.hosts.values()].map(hostState);
}

function hostState(host: SimHost): HostState {
  const { hardware } = host;
  return {
    name: host.name,
    powered: host.powered,
    libvirtdUp: host.daemonUp,
    memoryFreeKiB: host.memoryFreeKiB(),
    domains: [...host.domains.values()].map(domainState),
    vfs: hardware.vfs.map((vf) => ({
      pciAddress: vf.pciAddress,
      pf: vf.pf.spec.name,
      index: vf.index,
      driver: vf.driver,
      mac: vf.mac,
      vlan: vf.vlan,
      holder: vf.holder?.domain ?? null,
    })),
    carrier: Object.fromEntries(hardware.pfs.map((pf) => [pf.spec.name, pf.carrier])),
    files: [...host.files.keys()],
  };
}

function domainState(domain: SimDomain): DomainState {
  const { name, uuid, id, state, reason, autostart, config, live, guest } = domain;
  return {
    ...{ name, uuid, id, state, reason, autostart },
    config: config && formatXml(config),
    live: live && formatXml(live),
    vfs: Object.fromEntries(domain.vfs),
    job: domain.lock.asyncJob,
    guest: guest && {
      running: guest.running,
      agentUp: guest.agentUp,
      pendingUnplugs: guest.pendingUnplugs,
      nics: guest.nics.map(({ alias, mac, passthrough }) => ({ alias, mac, passthrough })),
      activeNic: guest.activeNic()?.alias ?? null,
    },
  };
}
