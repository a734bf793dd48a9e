/**
 * The probe: an echo request to a guest every 10 ms, from outside its host, through its bond.
 *
 * One `fping` process in the lab's namespace; whoever starts a probe stops it. A process that dies leaves its
 * fping to the next `labUp({fresh: true})` or `labDown`. Callers: scenarios, the demo, benches.
 *
 * Not `ping`: at such an interval it spins between answers (half a CPU of the two that the hosts share).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { systemClock, until } from '../src/base/clock.ts';
import { inNamespace } from './namespace.ts';
import { ProbeRecord, type ProbeWindow } from './probe-record.ts';

/** Time between two requests. */
export const PROBE_INTERVAL_MS = 10;
/** An answer that takes longer counts as none; a guest that stands still answers late. */
const LATE_ANSWER_MS = 10_000;

/** Figures of the whole time a probe ran; times are wall clock ms. */
export interface ProbeTotals extends ProbeWindow {
  readonly intervalMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export class Probe {
  readonly record = new ProbeRecord();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #startedAtMs = systemClock.now();
  #summary = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.record.addLine(line),
    );
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.includes('xmt/rcv/')) this.#summary = line;
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    // `stop` reports it; until somebody stops, an fping that could not start must not end the process.
    this.#ended.catch(() => {});
  }

  /** Starts probing `address` and waits for the first answer, at most 30 s. */
  static async start(address: string): Promise<Probe> {
    const period = String(PROBE_INTERVAL_MS);
    const fping = ['fping', '-D', '-l', '-p', period, '-t', String(LATE_ANSWER_MS), address];
    const [program = '', ...args] = inNamespace(fping);
    const probe = new Probe(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    try {
      const limits = { limitMs: 30_000, everyMs: 50 };
      await until(systemClock, `${address} answers`, limits, () => probe.record.answered > 0 || undefined);
    } catch (error) {
      await probe.stop();
      throw error;
    }
    return probe;
  }

  /** Figures of a part of the time, while it runs or after. */
  window(fromMs: number, toMs: number): ProbeWindow {
    return this.record.window(fromMs, toMs);
  }

  /** Ends the probe; returns the figures of its whole time. */
  async stop(): Promise<ProbeTotals> {
    const endedAtMs = systemClock.now();
    // SIGINT: fping prints how many it sent, answered or not.
    this.#child.kill('SIGINT');
    const cancel = systemClock.after(10_000, () => this.#child.kill('SIGKILL'));
    await this.#ended;
    cancel();
    const counted = Number(/= (\d+)\//.exec(this.#summary)?.[1] ?? 0);
    return {
      intervalMs: PROBE_INTERVAL_MS,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
      sent: Math.max(counted, this.record.sentAtLeast),
      received: this.record.answered,
      longestGapMs: this.record.window(this.#startedAtMs, endedAtMs).longestGapMs,
    };
  }
}
