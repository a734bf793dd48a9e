/**
 * What Handover needs of a host: the verbs of one connected hypervisor. The only implementation is
 * `libvirt-hypervisor.ts` (simulated hosts are libvirt servers on the real wire, reached through it too).
 *
 * Every verb has a limit of its own and takes no longer. Errors: `HOST_UNREACHABLE` if nothing was sent,
 * `REPLY_LOST` or
 * `CALL_TIMED_OUT` if it may have happened (inspect before repeating), `LIBVIRT_REFUSED` with libvirt's code
 * in
 * `detail.libvirtCode`, `HOST_CHANNEL_UNAVAILABLE` where a fact or an act needs the host channel and there is
 * none. A domain or VF that does not exist is `null` from the look verbs, `NOT_FOUND` from the acting ones.
 */
import type { HostId, Mac, PciAddress, VmId } from '../base/ids.ts';
import type { Domain } from '../model/domain.ts';
import type { GuestBond, GuestNetwork } from '../model/guest-network.ts';
import type { HostInventory } from '../model/host.ts';
import type { VfAttributes } from '../model/pf.ts';

/**
 * Where a host is reached. `channel` commands go over the same ssh destination as the URI, or run locally for
 * unix sockets.
 */
export interface HostEndpoint {
  readonly id: HostId;
  readonly name: string;
  readonly uri: string;
}

/** Opens hosts. One per engine; connections are shared per host and reopened when they break. */
export interface Hypervisors {
  /** The verbs of one host. Does not connect yet; the first verb does. Same endpoint, same object. */
  host(endpoint: HostEndpoint): Hypervisor;
  /** Reads what a user gave as a VM's definition. Pure. Throws `INVALID_INPUT` with what is wrong in it. */
  readDefinition(given: GivenDefinition): NewDefinition;
  /** The `<interface>` of an ordinary vNIC on a bridge. Pure. */
  interfaceOn(vnic: BridgedVnic): string;
  /** Closes and forgets the connections of a host (removed, or its URI changed). */
  forget(id: HostId): Promise<void>;
  /** Closes everything. */
  close(): Promise<void>;
}

/** A domain event as it happened. Events may be lost; never wait on one alone. */
export type DomainEvent =
  | { readonly type: 'device_removed' | 'device_removal_failed' | 'device_added'; readonly alias: string }
  /**
   * `name`: started, suspended, resumed, stopped, shutdown, defined, undefined, crashed... `detail` by name:
   * migrated, failed, booted...
   */
  | { readonly type: 'lifecycle'; readonly name: string; readonly detail: string }
  | { readonly type: 'agent'; readonly connected: boolean }
  | { readonly type: 'job_completed'; readonly downtimeMs: number | null }
  /**
   * The connection broke: whatever happened since is unknown. The watch re-registers by itself and says
   * `watch_restored`.
   */
  | { readonly type: 'watch_lost' }
  | { readonly type: 'watch_restored' };

/**
 * Receives events of one domain, or of all (`vmId` of the domain concerned; null for watch_* events). Must
 * not throw.
 */
export type DomainListener = (event: DomainEvent, vmId: VmId | null) => void;

/** One vNIC to plug, by everything the guest can see of it. */
export interface VfPlug {
  readonly alias: string;
  readonly mac: Mac;
  readonly vf: PciAddress;
  readonly managed: boolean;
  readonly vlan: number | null;
  /** Wanted again on the same place in the guest; taken by something else: another is used. null = any. */
  readonly guestAddress: PciAddress | null;
  /** See `DomainInterface.traitsXml`. */
  readonly traitsXml: string;
}

/** One vNIC as a definition has it: on that VF, or on any of `pool`. */
export interface DefinedVf extends VfPlug {
  readonly pool: string | null;
  /** The pool the definition names for it now; an interface on any other network is not this vNIC. */
  readonly definedPool: string | null;
}

/** A domain's XML as a user wrote it; `name` replaces the one in it, `id` is taken where it has none. */
export interface GivenDefinition {
  readonly xml: string;
  readonly name: string | null;
  readonly id: VmId;
}

/** A definition that can be given to a host. `macs`: of its interfaces, each as often as it has it. */
export interface NewDefinition {
  readonly xml: string;
  readonly name: string;
  readonly id: VmId;
  readonly macs: readonly Mac[];
}

/** An ordinary vNIC as it is made. */
export interface BridgedVnic {
  readonly alias: string;
  readonly mac: Mac;
  readonly bridge: string;
  readonly model: string;
}

/** Which ordinary interface of a domain: one of a pool with the same MAC is a VF's. */
export interface OrdinaryInterface {
  readonly mac: Mac;
  readonly pools: readonly string[];
}

/** How far a memory transfer is. Bytes and ms as numbers. */
export interface MigrationProgress {
  readonly side: 'source' | 'target';
  readonly elapsedMs: number;
  readonly bytesTotal: number;
  readonly bytesProcessed: number;
  readonly bytesRemaining: number;
  /** Pages made dirty a second x page size; 0 until measured. */
  readonly dirtyBytesPerSecond: number;
  readonly iteration: number;
}

/** How a domain moves. */
export interface MigrateRequest {
  readonly vmId: VmId;
  readonly target: Hypervisor;
  /**
   * `p2p`: the source daemon dials `peerUri` itself. `direct`: this engine drives the five phases over both
   * connections.
   */
  readonly protocol: 'p2p' | 'direct';
  /** Needed for p2p. */
  readonly peerUri: string | null;
  /** Address of the target memory is sent to; null = libvirt chooses. */
  readonly migrationAddress: string | null;
  /**
   * The domain is persistent: define it on the target, undefine it on the source, with `configVfs` in the
   * definition.
   */
  readonly persistent: boolean;
  /**
   * For the definition on the target: each desired passthrough vNIC and its new VF; `pool` keeps the pool
   * instead.
   */
  readonly configVfs: readonly DefinedVf[];
  readonly bandwidthMiBps: number | null;
  /** Disk targets (`vda`) to copy; empty = storage is shared. */
  readonly copyDisks: readonly string[];
}

/** What the hooks inside a guest came to. */
export interface GuestHooks {
  readonly point: 'before-unplug' | 'after-plug';
  readonly ok: boolean;
  /** A line for each hook; none if the guest has no hooks. The guest's text, without control characters. */
  readonly said: readonly string[];
}

/** How many packets interfaces had received then. */
export interface RxCounts {
  /** Wall clock ms of the engine. */
  readonly at: number;
  /** In the order the interfaces were named in; null = not told. */
  readonly counts: readonly (number | null)[];
}

/** A count that goes on inside a guest, wherever that is. */
export interface RxRecording {
  /** Of its process in the guest. */
  readonly pid: number;
  /** Wall clock ms. */
  readonly beganAt: number;
  /** It ends by itself then. */
  readonly lengthMs: number;
}

/** A VF as its guest shows it. */
export interface GuestVf {
  /** Of its interface; several if any of them may be it. Text of the guest's, without control characters. */
  readonly names: readonly string[];
  /** null = the guest agent does not tell, or not which of `names` is the VF. */
  readonly rxPackets: number | null;
}

/** A file on a host, for disks that are copied. */
export interface HostFile {
  readonly exists: boolean;
  readonly virtualBytes: number | null;
}

/** One host. */
export interface Hypervisor {
  readonly endpoint: HostEndpoint;

  // ---- looking ----
  /** Everything about the host and its domains, in one look. Throws `LIBVIRT_TOO_OLD` below 9.0. */
  observe(): Promise<HostInventory>;
  /**
   * One domain as it is now; null if the host does not know it. While a domain arrives some libvirt versions
   * do not describe it: then only name, state, reason and `persistent` are told, and it has no interfaces or
   * disks.
   */
  inspect(vmId: VmId): Promise<Domain | null>;
  /** The migration job active on that domain now, from either side; null if none. */
  migrationProgress(vmId: VmId): Promise<MigrationProgress | null>;
  /**
   * Downtime of the migration that brought the domain here, as QEMU measured it; null if not known (any
   * more).
   */
  migrationDowntimeMs(vmId: VmId): Promise<number | null>;
  /** Settings of one VF now (host channel); null = unknown, or no such VF. */
  vfAttributes(pciAddress: PciAddress): Promise<VfAttributes | null>;
  /**
   * Watches one domain (null: all). Resolves when registered, so that what is asked afterwards cannot be
   * missed.
   */
  watch(vmId: VmId | null, listener: DomainListener): Promise<() => void>;
  /**
   * libvirt's own source-side checks without side effects (begin3): its reasons, joined texts split at "; ";
   * empty = may migrate. `copyStorage`: as if local disks were copied.
   */
  migrationBlockers(vmId: VmId, options: { readonly copyStorage: boolean }): Promise<readonly string[]>;
  /** Whether this host can run a CPU described by another host's `<cpu>`. */
  compareCpu(cpuXml: string): Promise<'incompatible' | 'identical' | 'superset'>;
  /** `virsh -c PEERURI version` on this host, over the host channel: can this host's daemon dial that one? */
  testPeer(peerUri: string): Promise<{ readonly ok: boolean; readonly message: string }>;
  /**
   * The VFs with these MACs that the guest shows, through its agent, which may take a minute; null if it has
   * none or it does not answer.
   */
  guestVfs(vmId: VmId, macs: readonly Mac[]): Promise<ReadonlyMap<Mac, GuestVf> | null>;
  /** The network as the guest's agent shows it, which may take a minute; null if none answers. */
  guestNetwork(vmId: VmId): Promise<GuestNetwork | null>;
  /**
   * One bond as it is now, without drivers and counters of its legs; null if it is not told, whatever the
   * reason.
   */
  guestBond(vmId: VmId, bond: string): Promise<GuestBond | null>;
  /** What interfaces of the guest have received; null for each that is not told, whatever the reason. */
  guestRxPackets(vmId: VmId, names: readonly string[]): Promise<RxCounts['counts']>;
  /** Has the guest count the same by itself for half a minute; null: its agent may not run commands. */
  recordRxPackets(vmId: VmId, names: readonly string[]): Promise<RxRecording | null>;
  /**
   * Ends such a count, on the host the guest is on now. Every 100 ms one look, none if the guest could not.
   * Once only: the agent forgets what it told. Times after a move are too early, by how long the guest stood
   * still.
   */
  endRxRecording(vmId: VmId, recording: RxRecording): Promise<readonly RxCounts[]>;
  /**
   * Queues of a running domain's ordinary vNICs that the host's kernel serves (vhost) instead of QEMU; null
   * if that cannot be seen (no host channel).
   */
  vhostQueues(domain: Pick<Domain, 'uuid' | 'name'>): Promise<number | null>;
  /** A file seen over the host channel. */
  inspectFile(path: string): Promise<HostFile>;

  // ---- acting on vNICs of the definition: what the next start of a persistent domain has ----
  /** Adds a VF to the definition, unless it has one with that MAC. */
  defineVnic(vmId: VmId, vnic: DefinedVf): Promise<void>;
  /** Takes that VF, found by its MAC, out of the definition; none is no error. */
  undefineVnic(vmId: VmId, vnic: Pick<DefinedVf, 'mac' | 'definedPool'>): Promise<void>;

  // ---- ordinary vNICs ----
  /**
   * Its `<interface>`: the definition's, or the running domain's where that lacks it; null if there is none.
   */
  ordinaryInterface(
    vmId: VmId,
    which: OrdinaryInterface,
  ): Promise<{ readonly xml: string; readonly isDefined: boolean } | null>;
  /** Adds it to what runs, to the definition, or to both; at another place if something sits at its own. */
  plugInterface(
    vmId: VmId,
    xml: string,
    to: { readonly live: boolean; readonly config: boolean },
  ): Promise<void>;
  /** Takes it out of the definition; none is no error. */
  undefineInterface(vmId: VmId, which: OrdinaryInterface): Promise<void>;

  // ---- acting on vNICs (live domain only; the definition is never touched) ----
  /**
   * Asks the guest to give a device back. Returning means asked, not given (or given already). Repeating is
   * safe.
   */
  requestUnplug(vmId: VmId, alias: string): Promise<void>;
  /** Plugs a VF. managed=no: detaches the VF from its host driver first. Returns the guest address it got. */
  plug(vmId: VmId, plug: VfPlug): Promise<{ readonly guestAddress: PciAddress | null }>;
  /** managed=no: gives the VF back to its host driver after the unplug. */
  reattachVf(pciAddress: PciAddress): Promise<void>;
  /** Clears MAC and VLAN of a VF through its PF (host channel). */
  resetVf(pciAddress: PciAddress): Promise<void>;

  /**
   * Makes a PF have `count` VFs (host channel), all of them new ones if it had another number: none may be in
   * use. Returns when the host has them; libvirt may learn of them a moment later. Refused by the driver
   * (`HOST_COMMAND_FAILED`): as many as before.
   */
  setVfCount(pf: PciAddress, count: number): Promise<void>;

  // ---- acting in the guest, through its agent ----
  /**
   * Has the guest kit run the guest's own hooks, each with a limit of 30 s, all with 60; null if there is no
   * kit, or the agent may not run commands.
   */
  runGuestHooks(vmId: VmId, point: GuestHooks['point']): Promise<GuestHooks | null>;
  /**
   * Makes a leg the active one of its bond; false if the bond does not say so afterwards, or no agent does.
   */
  setActiveLeg(vmId: VmId, bond: string, leg: string): Promise<boolean>;
  /**
   * Sets how long a leg of a bond has had a link before it is used, ms, a multiple of the bond's miimon;
   * false if no agent writes it.
   */
  setUpDelay(vmId: VmId, bond: string, delayMs: number): Promise<boolean>;
  /**
   * Tells the network where the addresses of a bond, and of what is built on it, are: gratuitous ARP and
   * unsolicited NA, several times in about a second; false if the agent may not run commands. They may be
   * lost: only traffic proves anything.
   */
  announce(vmId: VmId, bond: string): Promise<boolean>;

  // ---- acting on domains ----
  /**
   * Opens what a `migrate` from here (or `direct` to here) works with, so that nothing is dialled while a
   * guest is without its VF.
   */
  prepareMigration(): Promise<void>;
  /**
   * Moves a domain; resolves when libvirt says done, which is after the guest runs on the target. Runs on a
   * connection of its own. The signal aborts the move; with `CLAIM_LOST` it only ends the waiting.
   */
  migrate(request: MigrateRequest, signal: AbortSignal): Promise<void>;
  /** Asks libvirt to abort the migration job; no job is no error. Inspect afterwards. */
  abortMigration(vmId: VmId): Promise<void>;
  /** Sets how long the guest may stand still at switchover; before or during the transfer. */
  setDowntimeMax(vmId: VmId, downtimeMs: number): Promise<void>;
  /**
   * Names these VFs in the definition, by MAC; adds what it lacks. Nothing is written where it is so already.
   */
  setDefinedVfs(vmId: VmId, vnics: readonly DefinedVf[]): Promise<void>;
  /**
   * Starts a defined domain. `unmanaged`: VFs to take from their host drivers before, which libvirt does not
   * do for them; given back if libvirt refuses.
   */
  start(vmId: VmId, unmanaged: readonly PciAddress[]): Promise<void>;
  /** Asks the guest to shut down; it may not. */
  shutdown(vmId: VmId): Promise<void>;
  /** Ends the domain's QEMU at once. The definition stays. No such domain is no error. */
  destroy(vmId: VmId): Promise<void>;
  /** Lets a paused guest run. */
  resume(vmId: VmId): Promise<void>;
  /** Makes the host know a domain, which does not run yet. One it knows by that id is redefined. */
  define(definition: NewDefinition): Promise<void>;
  /**
   * Removes the definition of a domain that is down; its disks, NVRAM and TPM state stay. Throws
   * `VM_STATUS_WRONG` if it runs, and has not touched it then. None is no error. libvirt refuses while there
   * is a saved state or a snapshot.
   */
  removeDown(vmId: VmId): Promise<void>;
  /** Removes the definition (the running domain stays, as transient). No definition is no error. */
  undefine(vmId: VmId): Promise<void>;
  setAutostart(vmId: VmId, autostart: boolean): Promise<void>;
  /** Creates an empty disk image (qcow2 or raw); `ALREADY_EXISTS` if the path exists. */
  createDisk(path: string, format: string, virtualBytes: number): Promise<void>;
  /** Removes a disk image this engine created. No file is no error. */
  removeDisk(path: string): Promise<void>;
}
