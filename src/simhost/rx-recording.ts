/**
 * What the engine has a guest count by itself: the one shell script besides the guest kit's that a simulated
 * guest knows. Caller: `agent.ts`.
 */
import type { Clock } from '../base/clock.ts';

const LOOKS = 300;

/** Counters, looked at again and again, 300 times or until it is ended. */
export class RxRecording {
  readonly #clock: Clock;
  readonly #read: () => readonly (string | null)[];
  readonly #everyMs: number;
  readonly #lines: string[] = [];
  #isOver = false;

  /** Begins at once. `read` gives what is in the counters' files; null = there is none. */
  constructor(clock: Clock, everyMs: number, read: () => readonly (string | null)[]) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#read = read;
    this.#look();
  }

  /** What it printed; null: it goes on. */
  get printed(): string | null {
    return this.#isOver ? this.#lines.join('') : null;
  }

  /** Ends it before its time. */
  end(): void {
    this.#isOver = true;
  }

  #look(): void {
    if (this.#isOver) return;
    const counts = this.#read();
    const isMissing = counts.includes(null);
    const uptime = (this.#clock.monotonicMs() / 1000).toFixed(2);
    if (!isMissing) this.#lines.push([uptime, ...counts.map((count) => count?.trim())].join(' ') + '\n');
    this.#isOver = isMissing || this.#lines.length === LOOKS;
    if (!this.#isOver) this.#clock.after(this.#everyMs, () => this.#look());
  }
}
