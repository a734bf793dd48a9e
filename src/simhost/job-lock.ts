/**
 * The job of a domain, as libvirt's QEMU driver keeps it: calls that change a domain run one after the other,
 * and a migration (an "async job") keeps them waiting until it ends, at most 30 s each; then libvirt answers
 * code 68.
 */
import type { Clock } from '../base/clock.ts';
import { refuse } from './refusal.ts';
import { JOB_WAIT_MS } from './timings.ts';

/** A migration as a job of a domain, by direction. */
export type AsyncJob = 'migration out' | 'migration in';

interface Waiter {
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

/** One per domain. */
export class JobLock {
  readonly #clock: Clock;
  #busy = false;
  #async: AsyncJob | null = null;
  #waiters: Waiter[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The migration that holds the domain now. */
  get asyncJob(): AsyncJob | null {
    return this.#async;
  }

  /** Runs a change alone. Refuses with a timeout if the domain is held for longer than libvirt waits. */
  async change<T>(run: () => Promise<T> | T): Promise<T> {
    await this.#acquire();
    try {
      return await run();
    } finally {
      this.#busy = false;
      this.#wake();
    }
  }

  /** Begins a migration as soon as no change runs. */
  async beginAsync(job: AsyncJob): Promise<void> {
    await this.#acquire();
    this.#busy = false;
    this.#async = job;
  }

  /** Ends the migration; waiting changes go on. Ending none is harmless. */
  endAsync(): void {
    this.#async = null;
    this.#wake();
  }

  /** libvirtd died: it forgets its jobs, and those who waited for it get no answer. */
  reset(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#busy = false;
    this.#async = null;
    for (const waiter of waiters) waiter.fail(error);
  }

  #acquire(): Promise<void> {
    if (!this.#busy && this.#async === null) {
      this.#busy = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const holder =
        this.#async === null ? 'remoteDispatchDomain' : 'remoteDispatchDomainMigratePerform3Params';
      const waiter: Waiter = {
        go: () => {
          cancel();
          resolve();
        },
        fail: (error) => {
          cancel();
          reject(error);
        },
      };
      const cancel = this.#clock.after(JOB_WAIT_MS, () => {
        this.#waiters = this.#waiters.filter((each) => each !== waiter);
        reject(refuse('timeout', `cannot acquire state change lock (held by monitor=${holder})`));
      });
      this.#waiters.push(waiter);
    });
  }

  #wake(): void {
    if (this.#busy || this.#async !== null) return;
    const next = this.#waiters.shift();
    if (!next) return;
    this.#busy = true;
    next.go();
  }
}
