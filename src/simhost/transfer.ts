/**
 * Memory on its way from one simulated QEMU to another: pre-copy in iterations, auto-converge, the pause at
 * the end. Belongs to the source's QEMU: it goes on when libvirtd dies, and fails when either QEMU ends.
 *
 * An iteration sends what was dirty when it began; what the guest dirties meanwhile is the next one. It ends
 * when the rest fits into the downtime limit. Progress is made in slices, so that limits changed on the way
 * count from the next slice.
 */
import { JOB_OPERATION } from '../libvirt/procedures/flags.ts';
import { param, type TypedParam } from '../libvirt/procedures/typed-params.ts';
import type { SimDomain } from './domain.ts';
import type { SimHost } from './host.ts';
import { refuse } from './refusal.ts';
import { drawMs, TIMINGS } from './timings.ts';

const SLICE_MS = 200;
const SLICE_MS_MIN = 20;
const PAGE_BYTES = 4096;
const MIB = 1024 * 1024;
/** QEMU's x-throttle: first and further steps, and the most. */
const THROTTLE = { initial: 20, increment: 10, max: 99 };

/** Limits and choices of one migration. */
export interface TransferOptions {
  readonly bandwidthMiBps: number | null;
  readonly autoConverge: boolean;
  readonly emitIteration: boolean;
  /** Nothing reaches the target now, and QEMU waits for that to change. */
  readonly isStalled: () => boolean;
}

/** How far it is; `done`: the target has everything, the guest stands still on both sides. */
export type TransferPhase = 'sending' | 'switchover' | 'done' | 'failed';

/** One transfer; never used again after it ended. */
export class OutgoingTransfer {
  readonly #host: SimHost;
  readonly #domain: SimDomain;
  readonly #options: TransferOptions;
  readonly #startedMs: number;
  readonly #totalMiB: number;
  readonly #usedMiB: number;
  #phase: TransferPhase = 'sending';
  #iteration = 1;
  #remainingMiB: number;
  #sentMiB = 0;
  #iterationSentMiB = 0;
  #dirtyMiB = 0;
  #dirtyMiBps = 0;
  #throttle = 0;
  #downtimeMs = 0;
  #pausedByUs = false;
  #pausedAtMs = 0;
  #cancelTimer: () => void = () => {};
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(host: SimHost, domain: SimDomain, options: TransferOptions) {
    this.#host = host;
    this.#domain = domain;
    this.#options = options;
    this.#startedMs = host.context.clock.monotonicMs();
    this.#totalMiB = domain.memoryKiB / 1024;
    this.#usedMiB = Math.min(this.#totalMiB, domain.guest?.spec.memoryUsedMiB ?? this.#totalMiB);
    this.#remainingMiB = this.#usedMiB;
  }

  get phase(): TransferPhase {
    return this.#phase;
  }

  get downtimeMs(): number {
    return this.#downtimeMs;
  }

  get elapsedMs(): number {
    return this.#host.context.clock.monotonicMs() - this.#startedMs;
  }

  /** Runs to the end. Rejects with libvirt's refusal if it was aborted or one side ended. */
  run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#host.context.moment(this.#host, 'transferBegins');
    this.#iterationBegins();
    this.#slice();
    return ended;
  }

  /** Cancels it, unless it is too late; the guest then runs on here. */
  abort(): void {
    if (this.#phase !== 'sending') return;
    this.#fail(refuse('aborted', 'migration out job: canceled by client'));
  }

  /** The target's QEMU is gone. */
  targetGone(): void {
    this.#fail(
      refuse('operation_failed', 'migration out job: Unable to write to socket: Connection reset by peer'),
    );
  }

  /** The source's QEMU is gone. */
  sourceGone(): void {
    this.#pausedByUs = false;
    this.#fail(refuse('operation_failed', 'domain is not running'));
  }

  #bandwidthMiBps(): number {
    const limits = [this.#host.spec.migrationMiBps, this.#options.bandwidthMiBps, this.#domain.speedMiBpsMax];
    return Math.min(...limits.filter((limit): limit is number => limit !== null && limit > 0));
  }

  #iterationBegins(): void {
    this.#dirtyMiB = 0;
    this.#iterationSentMiB = 0;
    if (this.#options.emitIteration) {
      const { ref } = this.#domain;
      this.#host.emit({ type: 'migrationIteration', dom: ref, iteration: this.#iteration });
    }
  }

  #slice(): void {
    const bandwidth = this.#bandwidthMiBps();
    const needMs = (this.#remainingMiB / bandwidth) * 1000;
    const sliceMs = Math.max(SLICE_MS_MIN, Math.min(SLICE_MS, needMs));
    this.#cancelTimer = this.#host.context.clock.after(sliceMs, () => {
      if (this.#options.isStalled()) {
        this.#slice();
        return;
      }
      const sent = Math.min(this.#remainingMiB, (bandwidth * sliceMs) / 1000);
      this.#remainingMiB -= sent;
      this.#sentMiB += sent;
      this.#iterationSentMiB += sent;
      const { guest } = this.#domain;
      const rate = guest?.running ? guest.dirtyMiBps * (1 - this.#throttle / 100) : 0;
      this.#dirtyMiB = Math.min(this.#usedMiB, this.#dirtyMiB + (rate * sliceMs) / 1000);
      if (this.#iteration > 1) this.#dirtyMiBps = rate;
      if (this.#remainingMiB > 0.001) this.#slice();
      else this.#iterationEnds(bandwidth);
    });
  }

  #iterationEnds(bandwidth: number): void {
    const lastMs = (this.#dirtyMiB / bandwidth) * 1000;
    this.#remainingMiB = this.#dirtyMiB;
    if (lastMs <= this.#domain.downtimeMsMax) {
      this.#switchover(lastMs);
      return;
    }
    if (this.#options.autoConverge && this.#iteration > 1 && this.#dirtyMiB > this.#iterationSentMiB / 2) {
      const next = this.#throttle === 0 ? THROTTLE.initial : this.#throttle + THROTTLE.increment;
      this.#throttle = Math.min(THROTTLE.max, next);
    }
    this.#iteration += 1;
    this.#iterationBegins();
    this.#slice();
  }

  #switchover(lastMs: number): void {
    const { clock, random } = this.#host.context;
    this.#phase = 'switchover';
    this.#host.context.moment(this.#host, 'switchover');
    this.#pausedByUs = this.#domain.guest?.running ?? false;
    this.#pausedAtMs = clock.monotonicMs();
    this.#domain.guest?.pause();
    if (this.#pausedByUs) {
      this.#domain.setPaused('migration');
      this.#host.tellDaemon(() => this.#host.emitLifecycle(this.#domain, 'suspendedMigrated'));
    }
    const arrives = (): void => {
      if (this.#options.isStalled()) {
        this.#cancelTimer = clock.after(SLICE_MS, arrives);
        return;
      }
      this.#sentMiB += this.#remainingMiB;
      this.#remainingMiB = 0;
      this.#downtimeMs = clock.monotonicMs() - this.#pausedAtMs;
      this.#phase = 'done';
      this.#host.context.moment(this.#host, 'transferDone');
      this.#settle?.resolve();
    };
    this.#cancelTimer = clock.after(lastMs + drawMs(random, TIMINGS.switchover), arrives);
  }

  /** The guest runs on the target: until now it stood still. */
  guestResumed(): void {
    if (this.#pausedByUs) this.#downtimeMs = this.#host.context.clock.monotonicMs() - this.#pausedAtMs;
  }

  /** The guest goes on here after all. */
  resumeHere(reason: 'migrationCancelled' | 'unpaused'): void {
    if (!this.#pausedByUs) return;
    this.#pausedByUs = false;
    this.#domain.guest?.run('pause');
    this.#domain.setRunning(reason);
    this.#host.tellDaemon(() => this.#host.emitLifecycle(this.#domain, 'resumedMigrated'));
  }

  #fail(error: Error): void {
    if (this.#phase === 'failed' || this.#phase === 'done') return;
    this.#phase = 'failed';
    this.#cancelTimer();
    // QEMU lets the guest go on by itself; after the whole state was sent it would not.
    this.resumeHere(this.#host.daemonUp ? 'migrationCancelled' : 'unpaused');
    this.#settle?.reject(error);
  }

  /** The fields of virDomainGetJobStats. */
  stats(): TypedParam[] {
    const bytes = (mib: number): bigint => BigInt(Math.round(mib * MIB));
    const big = (value: number): bigint => BigInt(Math.max(0, Math.round(value)));
    const sizes = (prefix: 'data' | 'memory'): TypedParam[] => [
      param.ullong(`${prefix}_total`, bytes(this.#totalMiB)),
      param.ullong(`${prefix}_processed`, bytes(this.#sentMiB)),
      param.ullong(`${prefix}_remaining`, bytes(this.#remainingMiB)),
    ];
    return [
      param.int('operation', JOB_OPERATION.migrationOut),
      param.ullong('time_elapsed', big(this.elapsedMs)),
      ...(this.#downtimeMs > 0 ? [param.ullong('downtime', big(this.#downtimeMs))] : []),
      param.ullong('setup_time', 3n),
      ...sizes('data'),
      ...sizes('memory'),
      param.ullong('memory_bps', bytes(this.#bandwidthMiBps())),
      param.ullong('memory_constant', bytes(this.#totalMiB - this.#usedMiB) / BigInt(PAGE_BYTES)),
      param.ullong('memory_normal', bytes(this.#sentMiB) / BigInt(PAGE_BYTES)),
      param.ullong('memory_normal_bytes', bytes(this.#sentMiB)),
      param.ullong('memory_dirty_rate', bytes(this.#dirtyMiBps) / BigInt(PAGE_BYTES)),
      param.ullong('memory_iteration', big(this.#iteration)),
      param.ullong('memory_postcopy_requests', 0n),
      param.ullong('memory_page_size', BigInt(PAGE_BYTES)),
      param.ullong('disk_total', 0n),
      param.ullong('disk_processed', 0n),
      param.ullong('disk_remaining', 0n),
      ...(this.#throttle > 0 ? [param.int('auto_converge_throttle', this.#throttle)] : []),
    ];
  }
}
