/**
 * Jobs: one durable run of a saga, with its steps, reservations and events. States and words are those of
 * CLI, API and `--json`.
 */
import type { ErrorRecord } from '../base/errors.ts';
import type { HostId, JobId, Mac, NetworkId, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { BondedPair } from './guest.ts';
import type { HookRun } from './hook.ts';

/** A job: waits, runs, takes back, or ended. `needs_operator`: parked, still live. */
export const JOB_STATES = [
  'queued',
  'running',
  'undoing',
  'succeeded',
  'failed',
  'cancelled',
  'needs_operator',
] as const;
export type JobState = (typeof JOB_STATES)[number];
/** Live jobs hold reservations and block other jobs of the same VM. */
export const LIVE_JOB_STATES = [
  'queued',
  'running',
  'undoing',
  'needs_operator',
] as const satisfies readonly JobState[];
export const isLive = (state: JobState): boolean => (LIVE_JOB_STATES as readonly JobState[]).includes(state);

/** A step of a job. */
export const STEP_STATES = ['started', 'finished', 'failed', 'skipped', 'undone'] as const;
export type StepState = (typeof STEP_STATES)[number];

/** One step of a job as recorded; `vnicId` set for the per-vNIC sub-steps. Times: wall clock ms. */
export interface JobStep {
  readonly jobId: JobId;
  /** Order of first start within the job, from 1. */
  readonly number: number;
  readonly name: string;
  readonly vnicId: VnicId | null;
  readonly state: StepState;
  /** How often run was begun. */
  readonly attempts: number;
  /** One line for a person: what it did, or why it failed. */
  readonly message: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** What a job does with its VM: moves it, or rehearses that where it is. */
export const JOB_KINDS = ['migrate_vm', 'drill_vm'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/**
 * What a job was asked to do. A drill has its VM's host as source and as target, and no use for what is about
 * the transfer.
 */
export interface MigrateParams {
  readonly vmId: VmId;
  /** Name when the job was accepted, for messages. */
  readonly vmName: string;
  readonly sourceHostId: HostId;
  /** null = the scheduler chooses. */
  readonly targetHostId: HostId | null;
  readonly copyStorage: boolean;
  /** Limit for the guest to give one VF back. */
  readonly unplugTimeoutMs: number;
  readonly downtimeMsMax: number;
  readonly bandwidthMiBps: number | null;
  /** The transfer is aborted and undone after this time. */
  readonly transferTimeoutMs: number;
}

/** A vNIC on its way: fixed by the reserve step, kept with the job. */
export interface MovingVnic {
  readonly vnicId: VnicId;
  readonly name: string;
  readonly alias: string;
  readonly mac: Mac;
  readonly managed: boolean;
  readonly vlan: number | null;
  /** When it was reserved; null or absent = none. */
  readonly profileId?: VnicProfileId | null;
  readonly networkId?: NetworkId | null;
  readonly guestAddress: PciAddress | null;
  /** See `DomainInterface.traitsXml`. */
  readonly traitsXml: string;
  readonly pool: string | null;
  /** Null for one that was out before the move: desired, and only plugged on the target. */
  readonly sourceVf: PciAddress | null;
  readonly sourcePf: string;
  readonly targetPf: string;
  readonly targetVf: PciAddress;
  readonly state: 'plugged' | 'degraded' | 'unplugged' | 'unplug_pending';
}

/** Longest time without a packet delivered, by the phase in which it began; ms, null = not measured. */
export interface NetworkGapMs {
  readonly unplug: number | null;
  readonly switchover: number | null;
  readonly plug: number | null;
  readonly longest: number | null;
}

/** The network gap of one vNIC, or of the whole VM. */
export interface NetworkGap {
  /** null = the whole VM. */
  readonly vnicId: VnicId | null;
  /** Seen from outside, or by the counters of the guest. */
  readonly by: 'probe' | 'guest';
  /** It was looked this often: a gap is not known more exactly. */
  readonly everyMs: number;
  /** null = not known. */
  readonly gapMs: NetworkGapMs | null;
  /** Why it, or that of a phase, is not known; null = all is. */
  readonly doubt: string | null;
}

/** A moment of a transfer. */
export interface TransferSample {
  /** Since its begin. */
  readonly elapsedMs: number;
  readonly bytesRemaining: number;
  /** Sent so far. */
  readonly bytesProcessed: number;
  /** By the guest; 0 until measured. */
  readonly dirtyBytesPerSecond: number;
}

/** What a migration job knows and must still know after a crash. Written by its steps, epoch-checked. */
export interface MigrationData {
  readonly targetHostId?: HostId;
  readonly protocol?: 'p2p' | 'direct';
  readonly vnics?: readonly MovingVnic[];
  readonly persistent?: boolean;
  readonly autostart?: boolean;
  /** The guest's agent was connected before the move. */
  readonly hadAgent?: boolean;
  /** VFs that have a standby in a bond of the guest, as preflight saw them. */
  readonly pairs?: readonly BondedPair[];
  /** The first thing that is missing or not known of the standbys; null: all is known, and ready. */
  readonly standbyDoubt?: string | null;
  /** The guest was told to send over the standbys; set before it is told. */
  readonly shiftAsked?: boolean;
  /** What the updelay of bonds was, ms, by name, before they were told to wait; set before they are told. */
  readonly upDelays?: Readonly<Record<string, number>>;
  /** The guest's own hooks were begun before the VFs leave. */
  readonly guestHooked?: boolean;
  readonly copyDisks?: readonly {
    readonly target: string;
    readonly path: string;
    readonly created: boolean;
  }[];
  /** The target already had an inactive definition of this UUID before the job. */
  readonly targetHadDefinition?: boolean;
  /** Hooks before the unplug were begun; set before they are: an undo then runs those after the plug. */
  readonly unplugHooked?: boolean;
  /** Hooks that came to their end; not run again. */
  readonly hooks?: readonly HookRun[];
  /** The guest was asked to give its VFs back; set before it is asked. */
  readonly unplugAskedAt?: number;
  /** Those it may still give back: asked for and not refused. Set before it is asked. */
  readonly unplugAsked?: readonly VnicId[];
  readonly progress?: {
    readonly bytesTotal: number;
    readonly bytesRemaining: number;
    readonly iteration: number;
    readonly elapsedMs: number;
  };
  /** How the transfer went so far, oldest first; thinned out, so that a long one takes no more room. */
  readonly samples?: readonly TransferSample[];
  /** How the end was found out, from the hosts. */
  readonly pivotEvidence?: string;
  /** Wall clock ms when transfer was first begun; set before the call is sent. */
  readonly transferStartedAt?: number;
  /** Wall clock ms when the guest was seen to run on the target. */
  readonly resumedAt?: number;
  readonly downtimeMs?: number | null;
  /** Of the whole VM. */
  readonly networkGapMs?: NetworkGapMs | null;
  readonly networkGaps?: readonly NetworkGap[];
  /**
   * libvirt's migrate call on the source ended at this wall clock ms; null while it runs or when nobody
   * waited for it.
   */
  readonly performReturnedAt?: number | null;
  /**
   * Wall clock ms when all bonds sent over their VFs again; null = not all did, or there is none to look at.
   */
  readonly returnedAt?: number | null;
  /** Plug was asked for on the target at this wall clock ms. */
  readonly plugAskedAt?: number;
  /** Plug was tried once for every vNIC: the VM is no longer shown as migrating. */
  readonly plugTried?: boolean;
  readonly warnings?: readonly string[];
  /** What is left behind and who will clear it. */
  readonly leftBehind?: readonly string[];
}

export interface Job {
  readonly id: JobId;
  readonly kind: JobKind;
  readonly vmId: VmId;
  readonly vmName: string;
  readonly state: JobState;
  readonly params: MigrateParams;
  readonly data: MigrationData;
  readonly sourceHostId: HostId;
  /**
   * Where it has a place (VFs, memory, its count among the incoming); null before its reserve step, and of a
   * drill.
   */
  readonly targetHostId: HostId | null;
  /** Nothing before this step is repeated; index into the saga's list. */
  readonly stepIndex: number;
  /** The pivot was passed: only forward from here. */
  readonly pivoted: boolean;
  readonly cancelRequested: boolean;
  /** Why a queued job waits, with its place: "2 migrations already leave host-a (place 1)". */
  readonly waitReason: string | null;
  readonly error: ErrorRecord | null;
  readonly correlationId: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** Which jobs: filters are conjunctive; absent means any. */
export interface JobFilter {
  readonly vmId?: VmId;
  readonly vmIds?: readonly VmId[];
  readonly kind?: JobKind;
  readonly live?: boolean;
  /** The newest so many. */
  readonly limit?: number;
}

/** A job to add; a migration unless a kind is named. */
export type NewJob = [
  id: JobId,
  params: MigrateParams,
  vmName: string,
  correlationId: string | null,
  kind?: JobKind,
];

/**
 * A VF held for one live job, or (job null) by the engine that owns the host, for plugging a vNIC there.
 * Unique per (host, VF).
 */
export interface Reservation {
  readonly hostId: HostId;
  readonly vf: PciAddress;
  readonly jobId: JobId | null;
  readonly vmId: VmId;
  readonly vnicId: VnicId;
  readonly side: 'source' | 'target';
}

/** oVirt's severities of events. */
export const EVENT_SEVERITIES = ['normal', 'warning', 'error', 'alert'] as const;
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

/** Something an operator should be able to read later. Codes below 20000 are oVirt's own. */
export interface HandoverEvent {
  readonly id: number;
  readonly code: number;
  readonly severity: EventSeverity;
  /** Wall clock ms. */
  readonly time: number;
  readonly message: string;
  readonly vmId: VmId | null;
  readonly hostId: HostId | null;
  readonly jobId: JobId | null;
  readonly correlationId: string | null;
}

/** Event codes we emit. oVirt's numbers where oVirt has the event; ours from 20000. */
export const EVENT_CODES = {
  MIGRATION_STARTED: 62,
  MIGRATION_DONE: 63,
  MIGRATION_FAILED: 65,
  MIGRATION_TO_HOST_FAILED: 120,
  MIGRATION_CANCELLED: 161,
  MIGRATION_CANCEL_FAILED: 162,
  NO_HOST: 166,
  VNIC_PLUGGED: 1012,
  VNIC_PLUG_FAILED: 1013,
  VNIC_UNPLUGGED: 1014,
  VNIC_UNPLUG_FAILED: 1015,
  NOT_ALL_VNICS_PLUGGED: 12003,
  PLUGGING_FAILED: 12004,
  NETWORK_ADDED: 942,
  NETWORK_REMOVED: 944,
  NETWORK_UPDATED: 1114,
  PROFILE_ADDED: 1122,
  PROFILE_UPDATED: 1124,
  PROFILE_REMOVED: 1126,
  HOST_UP: 13,
  HOST_MAINTENANCE: 15,
  HOST_ACTIVATED: 16,
  VFS_CONFIG_UPDATED: 1201,
  VFS_CONFIG_UPDATE_FAILED: 1202,
  HOST_NON_RESPONSIVE: 9021,
  VF_ATTRIBUTES_DIFFER: 20001,
  ALERT_VNIC_DEGRADED: 20002,
  ALERT_CLEARED: 20003,
  UNPLUG_PENDING: 20004,
  TWO_COPIES_ENDED: 20005,
  DECISION_WAITS: 20006,
  LEFT_BEHIND: 20007,
  STALE_DEFINITION: 20008,
  VM_ADOPTED: 20009,
  NEEDS_OPERATOR: 20010,
  STANDBY_MISSING: 20011,
  HOOK_FAILED: 20012,
  DRILL_DONE: 20013,
  DRILL_FAILED: 20014,
} as const;
export type EventName = keyof typeof EVENT_CODES;
