/** What every use case is built from. Made once, in the daemon. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Hypervisors } from '../hypervisor/port.ts';
import type { EndedJob, OperatorHook } from '../migration/port.ts';
import type { Store } from './store-port.ts';

/** A probe of an address that runs. */
export interface Probe {
  /** Ends it; when it was answered, wall clock ms in order, and why that may say nothing. */
  stop(): Promise<{
    readonly everyMs: number;
    readonly answers: readonly number[];
    readonly doubt: string | null;
  }>;
}
/** Begins to send requests to an IP address. Rejects if that is none. */
export type StartProbe = (address: string) => Promise<Probe>;

/** Counts what the engine does, for whoever scrapes it. */
export interface Metrics {
  jobEnded(job: EndedJob): void;
  /** All of it in Prometheus' text format. */
  text(): Promise<string>;
}

/** The parts of one engine that use cases work with. */
export interface AppParts {
  readonly store: Store;
  readonly hypervisors: Hypervisors;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How the traffic of a VM is watched while it is moved; absent: it is not. */
  readonly startProbe?: StartProbe;
  /** Run while a VM is moved, in this order; absent: there are none. */
  readonly hooks?: readonly OperatorHook[];
  /** Absent: nothing is counted. */
  readonly metrics?: Metrics;
}
