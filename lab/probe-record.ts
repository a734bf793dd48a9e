/**
 * What a stream of echo requests saw, and the figures taken from it; pure.
 *
 * Times are wall-clock ms, as the steps of a job have them. Callers: `probe.ts`, the demo, benches.
 */

interface Answer {
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** Figures of one part of the time. */
export interface ProbeWindow {
  /** Requests sent in the window, and those of them that were ever answered. */
  readonly sent: number;
  readonly received: number;
  /**
   * Longest time in the window without an answer arriving; parts of a gap outside the window do not count.
   */
  readonly longestGapMs: number;
}

/** `fping -D -l` prints one line an answer; requests are counted from 0. */
const ANSWER_LINE = /^\[(\d+\.\d+)\] \S+ : \[(\d+)\], \d+ bytes, ([\d.]+) ms/;

/**
 * Collects answers in any order. Requests without an answer are inferred from the holes between sequence
 * numbers.
 */
export class ProbeRecord {
  readonly #answers: Answer[] = [];
  readonly #seen = new Set<number>();
  #sentAtLeast = 0;

  /** Takes one line of `fping`; true if it was a first answer to a request. */
  addLine(line: string): boolean {
    const match = ANSWER_LINE.exec(line);
    if (!match) return false;
    const receivedAtMs = Number(match[1]) * 1000;
    const sequence = Number(match[2]);
    // Both legs of a bond may deliver one request: only the first answer counts.
    if (this.#seen.has(sequence)) return false;
    this.#seen.add(sequence);
    this.#sentAtLeast = Math.max(this.#sentAtLeast, sequence + 1);
    this.#answers.push({ sequence, sentAtMs: receivedAtMs - Number(match[3]), receivedAtMs });
    return true;
  }

  /** How many requests were answered so far. */
  get answered(): number {
    return this.#answers.length;
  }

  /** How many requests were sent up to the last one that was answered. */
  get sentAtLeast(): number {
    return this.#sentAtLeast;
  }

  /** Figures of the time from `fromMs` to `toMs`. */
  window(fromMs: number, toMs: number): ProbeWindow {
    const sends = this.#sends().filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    return {
      sent: sends.length,
      received: sends.filter(({ answered }) => answered).length,
      longestGapMs: this.#longestGapMs(fromMs, toMs),
    };
  }

  /**
   * Longest time without an answer that began in the window, at its full length: how long a silence that this
   * part of the time brought about lasted, wherever it ended. 0 if there was no answer at all before the
   * window's end.
   */
  longestGapBegun(fromMs: number, toMs: number): number {
    const arrivals = this.#answers.map(({ receivedAtMs }) => receivedAtMs).sort((a, b) => a - b);
    let longest = 0;
    for (const [index, arrival] of arrivals.entries()) {
      const next = arrivals[index + 1];
      if (next !== undefined && arrival >= fromMs && arrival < toMs)
        longest = Math.max(longest, next - arrival);
    }
    return longest;
  }

  #longestGapMs(fromMs: number, toMs: number): number {
    const arrivals = this.#answers.map(({ receivedAtMs }) => receivedAtMs).sort((a, b) => a - b);
    let longest = 0;
    let before = fromMs;
    for (const arrival of arrivals) {
      if (arrival <= fromMs) continue;
      if (arrival >= toMs) break;
      longest = Math.max(longest, arrival - before);
      before = arrival;
    }
    return Math.max(longest, toMs - before);
  }

  /**
   * When each request up to the last answered one was sent; for the unanswered, on a line between its
   * neighbours.
   */
  #sends(): { atMs: number; answered: boolean }[] {
    const ordered = [...this.#answers].sort((left, right) => left.sequence - right.sequence);
    const sends: { atMs: number; answered: boolean }[] = [];
    let previous: Answer | undefined;
    for (const answer of ordered) {
      const lost = previous ? answer.sequence - previous.sequence - 1 : 0;
      for (let number = 1; previous && number <= lost; number++) {
        const share = number / (lost + 1);
        sends.push({
          atMs: previous.sentAtMs + share * (answer.sentAtMs - previous.sentAtMs),
          answered: false,
        });
      }
      sends.push({ atMs: answer.sentAtMs, answered: true });
      previous = answer;
    }
    return sends;
  }
}
