/**
 * What the saga runner needs: durable jobs with a leased, fenced claim. No virtualization words here.
 * Implementations: `store/` (PostgreSQL) and the in-memory one of the saga harness, held to each other by one
 * contract suite.
 *
 * Every write names the claim's epoch; a write of a claim that was lost changes nothing and throws
 * `CLAIM_LOST`.
 */
import type { ErrorRecord } from '../base/errors.ts';

/**
 * A replica's leased ownership of one job. `leaseUntilMs` on the owner's monotonic clock, set from before the
 * claim was asked for.
 */
export interface Claim {
  readonly jobId: string;
  readonly epoch: number;
  readonly owner: string;
  leaseUntilMs: number;
}

/** How a saga ended or goes on. */
export type SagaState =
  | 'queued'
  | 'running'
  | 'undoing'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'needs_operator';
export type SagaStepState = 'started' | 'finished' | 'failed' | 'skipped' | 'undone';

/** The part of a job the runner reads and writes. `Data` is what steps keep for after a crash. */
export interface SagaJob<Params, Data> {
  readonly id: string;
  /** The name of its saga. */
  readonly kind: string;
  readonly state: SagaState;
  readonly params: Params;
  readonly data: Data;
  readonly stepIndex: number;
  readonly pivoted: boolean;
  readonly cancelRequested: boolean;
  readonly error: ErrorRecord | null;
}

/** The state of a step, or of one item of it, to be recorded. */
export interface SagaStepRecord {
  readonly name: string;
  /** Set for sub-steps of one thing (a vNIC); null for the step itself. */
  readonly item: string | null;
  readonly state: SagaStepState;
  readonly message: string | null;
}

/** What one write changes. Absent fields stay. `data` is merged at its top level. */
export interface SagaPatch<Data> {
  readonly state?: SagaState;
  readonly stepIndex?: number;
  readonly pivoted?: boolean;
  readonly error?: ErrorRecord | null;
  readonly data?: Partial<Data>;
  readonly step?: SagaStepRecord;
  /** Sets `queued` jobs aside: why, and not before this many ms from now. */
  readonly wait?: { readonly reason: string; readonly delayMs: number };
}

/** Durable jobs. Every method throws `STORE_UNAVAILABLE` while the database is away. */
export interface SagaStore<Params, Data> {
  /** Claims one job that is due: queued, or live with an expired lease. null if there is none. */
  claimNext(owner: string, leaseMs: number): Promise<{ claim: Claim; job: SagaJob<Params, Data> } | null>;
  /** Prolongs the lease. Throws `CLAIM_LOST` if somebody else owns it now. */
  renew(claim: Claim, leaseMs: number): Promise<void>;
  /** Reads the job again (cancel may have been requested). Throws `CLAIM_LOST`. */
  read(claim: Claim): Promise<SagaJob<Params, Data>>;
  /**
   * One atomic write. Throws `CLAIM_LOST`. Ending a job (succeeded, failed, cancelled) frees its reservations
   * in the same transaction.
   */
  write(claim: Claim, patch: SagaPatch<Data>): Promise<SagaJob<Params, Data>>;
  /** Gives the claim up, so that another may take the job at once. */
  release(claim: Claim): Promise<void>;
  /**
   * Calls `wake` whenever a job may be due or a cancel was requested (NOTIFY). Wakes may be lost: poll too.
   */
  onWake(wake: () => void): () => void;
}
