/** What the migration needs of the rest of Handover, and the context its steps get. Implemented in `app/`. */
import type { HostId, PciAddress, VmId, VnicId } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import type { BondedPair, StandbyPolicy } from '../model/guest.ts';
import type { HookInput, HookPoint, OnFailure } from '../model/hook.ts';
import type { Host, HostInventory } from '../model/host.ts';
import type {
  EventName,
  EventSeverity,
  JobKind,
  MigrateParams,
  MigrationData,
  MovingVnic,
  NetworkGapMs,
} from '../model/job.ts';
import type { VnicActual } from '../model/vm.ts';
import type { TrafficRecord } from './network-gap.ts';
import type { StepContext } from '../saga/definition.ts';
import type { SagaState } from '../saga/port.ts';

/**
 * The reserve step's answer. `wait`: a host has as many migrations as it may; `refused`: why, nothing was
 * reserved.
 */
export type Reserved =
  | {
      readonly kind: 'reserved';
      readonly targetHostId: HostId;
      readonly protocol: 'p2p' | 'direct';
      readonly vnics: readonly MovingVnic[];
      readonly warnings: readonly string[];
    }
  | ReserveLater;

/** Nothing could be reserved yet, and why. */
interface ReserveLater {
  readonly kind: 'wait';
  readonly reason: string;
  readonly delayMs: number;
}

/** The same of a drill. */
export type ReservedOwn = { readonly kind: 'reserved'; readonly vnics: readonly MovingVnic[] } | ReserveLater;

/** An event of one migration. */
export interface MigrationEvent {
  readonly name: EventName;
  readonly severity: EventSeverity;
  readonly message: string;
  readonly hostId?: HostId | null;
}

/** What carries the traffic while the VFs are away. */
export interface Standby {
  readonly policy: StandbyPolicy;
  /** Why there is none, one sentence for each VF without; empty: there is one, or nobody can tell. */
  readonly missing: readonly string[];
  /** The first thing that is missing or not known; null: all is known, and ready. */
  readonly doubt: string | null;
  readonly pairs: readonly BondedPair[];
}

/** The traffic of a VM, being watched. */
export interface TrafficWatch {
  /**
   * Has the guest count by itself, if it may, instead of being asked: a busy guest answers late. Waits a
   * second at most for what was asked before. Never rejects.
   */
  countInside(): Promise<void>;
  /** Has it asked again: a guest that moves to another host cannot count how long it stood still. */
  askAgain(): void;
  /**
   * The same as `countInside`, and a guest that may not count is not asked either until the result is called:
   * while a VF is attached to it, a guest that is asked stands still.
   */
  leaveAlone(): Promise<() => void>;
  /** Ends it; what was seen. Looks before `unplugAskedAt` tell how busy the network was. Never rejects. */
  stop(unplugAskedAt: number): Promise<readonly TrafficRecord[]>;
}

/** A hook of the operator, ready to be run. */
export interface OperatorHook {
  /** The only thing that may be said of it: its address may hold secrets. */
  readonly name: string;
  readonly point: HookPoint;
  readonly onFailure: OnFailure;
  /**
   * Runs it once, within its limit. How it failed, in words; null: it did not. Rejects with the signal's
   * reason when that aborts. Either way nothing of it still runs.
   */
  run(input: HookInput, signal: AbortSignal): Promise<string | null>;
}

/** A job that ended, by its figures; null = not known. */
export interface EndedJob {
  readonly kind: JobKind;
  readonly state: SagaState;
  readonly networkGapMs: NetworkGapMs | null;
  readonly downtimeMs: number | null;
}

/** The rest of Handover, as far as a migration needs it. */
export interface MigrationPorts {
  /** The host's record as stored. Throws `NOT_FOUND`. */
  hostRecord(id: HostId): Promise<Host>;
  /** Its verbs. */
  hypervisor(id: HostId): Promise<Hypervisor>;
  /** Looks at the guest now, through its agent. */
  standbyOf(vmId: VmId): Promise<Standby>;
  /** Begins to watch the traffic of a VM, wherever `host` says it is; null: this engine does not watch. */
  watchTraffic(watched: {
    readonly vmId: VmId;
    readonly pairs: readonly BondedPair[];
    readonly host: () => Hypervisor;
  }): Promise<TrafficWatch | null>;
  /** The operator's hooks for a point, in their order. */
  hooksAt(point: HookPoint): readonly OperatorHook[];
  /** Looks at the host now, stores what was seen, returns it. */
  observeHost(id: HostId): Promise<HostInventory>;
  /**
   * Plans with the facts of this moment and reserves target and source VFs in one transaction. Throws
   * `NO_HOST_FITS` or
   * `VM_NOT_MIGRATABLE` with every reason, `CLAIM_LOST`.
   */
  reserve(job: { jobId: string; epoch: number; params: MigrateParams }): Promise<Reserved>;
  /**
   * Reserves the VFs that its VM has, so that nobody takes them while they are out. Throws `DRILL_REFUSED`,
   * `VM_STATUS_WRONG`, `CLAIM_LOST`.
   */
  reserveOwn(job: { jobId: string; epoch: number; params: MigrateParams }): Promise<ReservedOwn>;
  /** Reserves another free VF that fits a vNIC on a host, for this job; null if there is none. */
  reserveReplacement(
    job: { jobId: string; epoch: number; vmId: VmId },
    hostId: HostId,
    side: 'source' | 'target',
    vnic: MovingVnic,
    not: readonly PciAddress[],
  ): Promise<{ readonly pf: string; readonly vf: PciAddress } | null>;
  releaseReservations(jobId: string, side: 'source' | 'target'): Promise<void>;
  setVnicActual(vnicId: VnicId, actual: VnicActual, vf: PciAddress | null): Promise<void>;
  setVmHost(vmId: VmId, hostId: HostId | null): Promise<void>;
  recordPeerTest(source: HostId, target: HostId, ok: boolean, message: string): Promise<void>;
  event(job: { jobId: string; vmId: VmId }, event: MigrationEvent): Promise<void>;
  /** Counts a job that ended here. */
  jobEnded(job: EndedJob): void;
  raiseAlert(key: string, vmId: VmId, message: string): Promise<void>;
  clearAlert(key: string): Promise<void>;
}

/**
 * libvirt's migrate call of this process, if this process made it. Lost with the process; the hosts are asked
 * instead.
 */
export interface MigrateCall {
  readonly settled: Promise<void>;
  /** Wall clock ms of its answer; null while it runs. */
  endedAt: number | null;
  error: unknown;
  /** Ends it without an answer. */
  giveUp(this: void, why: Error): void;
}

/** What every step of a migration gets. */
export interface MigrationContext extends StepContext<MigrateParams, MigrationData> {
  readonly ports: MigrationPorts;
  readonly vmId: VmId;
  readonly vmName: string;
  readonly sourceHost: Host;
  /** Verbs of the source; each checks the claim first. */
  readonly source: Hypervisor;
  /** Record and verbs of the target; only after the reserve step. */
  target(): Promise<{ readonly host: Host; readonly hypervisor: Hypervisor }>;
  /** Of this process alone: what it heard and began itself. */
  readonly runtime: {
    call: MigrateCall | null;
    /** Monotonic ms at which the source was last heard to stop the guest. */
    suspendedAtMs: number | null;
    resumedOnTarget: boolean;
    traffic: TrafficWatch | null;
    /** After the call, and a second copy looked for; never rejects. */
    windingDown: Promise<void> | null;
  };
}
