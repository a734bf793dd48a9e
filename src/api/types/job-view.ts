/**
 * A job as the native API answers it, and as `handover job show --output json` prints it. Declarations only,
 * so that the CLI and other clients may use them without the engine's code. Times are ISO 8601 UTC, durations
 * numbers in ms; what is not known is null.
 */

/** A step, or the part of one that belongs to a single vNIC. */
export interface StepView {
  /** `reserve`, `preflight`, `shift`, `unplug`, `recheck`, `transfer`, `plug`, `verify`, `release`. */
  readonly name: string;
  /** Name of the vNIC for its part of a step; null for the step itself. */
  readonly vnic: string | null;
  readonly state: 'started' | 'finished' | 'failed' | 'skipped' | 'undone';
  readonly attempts: number;
  readonly message: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** A vNIC that moves with its VM. VFs are PCI addresses on their host. */
export interface MovingVnicView {
  readonly name: string;
  readonly mac: string;
  readonly sourcePf: string;
  /** Null for one that was out before the move. */
  readonly sourceVf: string | null;
  readonly targetPf: string;
  readonly targetVf: string;
  readonly state: 'plugged' | 'degraded' | 'unplugged' | 'unplug_pending';
}

/** A migration. */
export interface JobView {
  readonly id: string;
  readonly kind: 'migrate_vm';
  /** Names. */
  readonly vm: string;
  readonly vmId: string;
  readonly source: string;
  readonly target: string | null;
  readonly state: 'queued' | 'running' | 'undoing' | 'succeeded' | 'failed' | 'cancelled' | 'needs_operator';
  /** Nothing follows: the job will not change any more. */
  readonly ended: boolean;
  /** The guest runs on the target: from here only forward. */
  readonly pivoted: boolean;
  readonly cancelRequested: boolean;
  /** Why a queued job waits, with its place. */
  readonly waitReason: string | null;
  readonly protocol: 'p2p' | 'direct' | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly steps: readonly StepView[];
  readonly vnics: readonly MovingVnicView[];
  /** Memory still to be sent, while the transfer runs and after it. */
  readonly progress: {
    readonly bytesTotal: number;
    readonly bytesRemaining: number;
    readonly iteration: number;
    readonly elapsedMs: number;
  } | null;
  /**
   * When the transfer began, the guest was seen running on the target, the plug was asked for, libvirt's call
   * returned.
   */
  readonly moments: {
    readonly transferStartedAt: string | null;
    readonly resumedAt: string | null;
    readonly plugAskedAt: string | null;
    readonly performReturnedAt: string | null;
  };
  /** Guest paused. */
  readonly downtimeMs: number | null;
  /** Longest interval without a packet, per phase; another figure than downtime. */
  readonly networkGapMs: {
    readonly unplug: number | null;
    readonly switchover: number | null;
    readonly plug: number | null;
    readonly longest: number | null;
  } | null;
  readonly warnings: readonly string[];
  /** What is left behind and who will clear it. */
  readonly leftBehind: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A standing alert. */
export interface AlertView {
  readonly key: string;
  readonly message: string;
  readonly vmId: string | null;
  readonly hostId: string | null;
  readonly raisedAt: string;
}
