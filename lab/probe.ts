/**
 * The probe: an echo request to a guest every 10 ms, from outside its host, through its bond.
 *
 * One `ping` process in the lab's namespace; whoever starts a probe stops it. A process that dies leaves its
 * ping to the next `labUp({fresh: true})` or `labDown`. Callers: scenarios, the demo, benches.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { systemClock, until } from '../src/base/clock.ts';
import { inNamespace } from './namespace.ts';
import { ProbeRecord, type ProbeWindow } from './probe-record.ts';

/** Time between two requests. */
export const PROBE_INTERVAL_MS = 10;

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
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      if (!this.record.addLine(line) && line.includes('packets transmitted')) this.#summary = line;
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      lines.once('close', resolve);
    });
    // `stop` reports it; until somebody stops, a ping that could not start must not end the process.
    this.#ended.catch(() => {});
  }

  /** Starts probing `address` and waits for the first answer, at most 30 s. */
  static async start(address: string): Promise<Probe> {
    const ping = ['ping', '-n', '-D', '-i', String(PROBE_INTERVAL_MS / 1000), address];
    const [program = '', ...args] = inNamespace(ping);
    const probe = new Probe(spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }));
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
    // SIGINT: ping prints how many it sent, answered or not.
    this.#child.kill('SIGINT');
    const cancel = systemClock.after(10_000, () => this.#child.kill('SIGKILL'));
    await this.#ended;
    cancel();
    const counted = Number(/^(\d+) packets transmitted/.exec(this.#summary)?.[1] ?? 0);
    return {
      intervalMs: PROBE_INTERVAL_MS,
      startedAtMs: this.#startedAtMs,
      endedAtMs,
      sent: Math.max(counted, this.record.highestSequence),
      received: this.record.answered,
      longestGapMs: this.record.window(this.#startedAtMs, endedAtMs).longestGapMs,
    };
  }
}
