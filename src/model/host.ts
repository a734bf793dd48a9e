/** Hosts: machines that run libvirtd. What the operator said of one, and what was last seen on it. */
import type { HostId, PciAddress } from '../base/ids.ts';
import type { Domain } from './domain.ts';
import type { Pf } from './pf.ts';

/**
 * What Handover thinks of a host. `connecting`: never seen yet. `maintenance`: the operator's word; what runs
 * there is watched and may leave, nothing comes. It does not answer while it has a reason.
 */
export const HOST_STATUSES = ['connecting', 'up', 'non_responsive', 'maintenance'] as const;
export type HostStatus = (typeof HOST_STATUSES)[number];

/** A bridge of a host that VMs can be connected to. */
export interface Bridge {
  readonly name: string;
  readonly up: boolean | null;
  /** Names of the netdevs in it that are not VMs' taps; empty if unknown. */
  readonly uplinks: readonly string[];
  readonly mtu: number | null;
}

/** An ordinary network card of a host: not a PF, not a VF. */
export interface HostNic {
  readonly name: string;
  readonly mac: string | null;
  readonly pciAddress: PciAddress | null;
  readonly carrier: boolean | null;
}

/** A libvirt network of forward mode hostdev: a pool of VFs. */
export interface NetworkPool {
  readonly name: string;
  /** PF netdev whose VFs it hands out, null if it lists addresses. */
  readonly pf: string | null;
  readonly vfs: readonly PciAddress[];
}

/** All that was seen on a host in one look. Memory in KiB. */
export interface HostInventory {
  /** `11.3.0`. */
  readonly libvirtVersion: string;
  readonly hypervisorVersion: string;
  readonly hostname: string;
  /** libvirt's host UUID. */
  readonly hostUuid: string;
  readonly arch: string;
  readonly cpuModel: string;
  readonly cpuVendor: string;
  readonly cpuCount: number;
  /** `<cpu>` of the capabilities; the input of a CPU comparison. */
  readonly cpuXml: string;
  readonly memoryKiB: number;
  readonly memoryFreeKiB: number;
  readonly pfs: readonly Pf[];
  readonly nics: readonly HostNic[];
  readonly bridges: readonly Bridge[];
  readonly pools: readonly NetworkPool[];
  readonly domains: readonly Domain[];
  /**
   * The host channel works; else why it does not. Without it MAC/VLAN, carrier and bridges' facts are
   * unknown.
   */
  readonly channel: { readonly works: boolean; readonly reason: string | null };
}

/**
 * How an outgoing migration to one other host was last tested: `virsh -c PEERURI version` run on the source.
 */
export interface PeerTest {
  readonly ok: boolean;
  /** What the command said, one line. */
  readonly message: string;
  /** Wall clock ms. */
  readonly testedAt: number;
}

/** What is kept of a host without what was seen on it. */
export type HostHead = Omit<Host, 'inventory' | 'observedAt' | 'peerTests'>;

export interface Host {
  readonly id: HostId;
  readonly name: string;
  /** How the engine reaches its libvirtd: `qemu+ssh://root@10.77.0.11/system`. */
  readonly uri: string;
  /** How another host's libvirtd reaches it; null = derived from `uri`. */
  readonly peerUri: string | null;
  /** Address of the data network memory is sent to; null = libvirt chooses. */
  readonly migrationAddress: string | null;
  readonly status: HostStatus;
  /** One sentence for a person; null when all is well. */
  readonly statusReason: string | null;
  /** Concurrent migrations leaving and entering, at most. */
  readonly outgoingMax: number;
  readonly incomingMax: number;
  readonly inventory: HostInventory | null;
  /** Wall clock ms of `inventory`; null = never seen. */
  readonly observedAt: number | null;
  /** Results of host-to-host tests, by target host id. */
  readonly peerTests: Readonly<Record<string, PeerTest>>;
}

/** Whether it can be asked: it is up, or in maintenance and was last seen to answer. */
export const answers = ({ status, statusReason }: Pick<Host, 'status' | 'statusReason'>): boolean =>
  status === 'up' || (status === 'maintenance' && statusReason === null);

/** Safe in a command, too: nothing else may be in it. */
const PEER_URI = /^qemu\+(ssh|tls|tcp):\/\/[A-Za-z0-9_.@:[\]%-]+\/[A-Za-z0-9_/.?=&%+,:~-]*$/;
/** A URI that another host's daemon can dial. */
export const isPeerUri = (text: string): boolean => PEER_URI.test(text);

/** The URI a source daemon dials to reach this host. Unix sockets cannot be dialled from elsewhere: null. */
export function peerUriOf(host: Pick<Host, 'uri' | 'peerUri'>): string | null {
  if (host.peerUri !== null) return host.peerUri;
  const match = /^(qemu\+(?:ssh|tls|tcp)):\/\/([^/?]+)(\/[^?]*)/.exec(host.uri);
  // Query parameters (keyfile, sockets) name files of the engine's machine; the source daemon has its own.
  return match ? `${match[1]}://${match[2]}${match[3]}` : null;
}
