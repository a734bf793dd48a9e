/**
 * Watches the traffic of a VM by the counters of its bonds, through the guest's agent, which is asked at the
 * host it is on. While VFs leave and come the guest counts by itself if it may run commands. Whatever
 * goes wrong is a doubt in the record. Caller: `traffic.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type { VmId } from '../base/ids.ts';
import type { Hypervisor, RxCounts, RxRecording } from '../hypervisor/port.ts';
import type { TrafficRecord } from '../migration/network-gap.ts';
import type { TrafficWatch } from '../migration/port.ts';
import type { BondedPair } from '../model/guest.ts';

/** Between two looks at a counter. */
const COUNTED_EVERY_MS = 100;
/** So long without an answer says something of the agent, not of the network. */
const UNANSWERED_MS = 1_000;
/** Looks that are further apart are late. From the last one to the guest's own first a few may be missing. */
const LATE_MS = 400;
/** Between two looks as much was received as before, or nearly: then that was no silence of the network. */
const FLOWED_SHARE_MIN = 0.8;
/** Whoever wants the guest left alone waits no longer for that: a VM is without its VF meanwhile. */
const ALONE_LIMIT_MS = 1_000;
/** A guest's own count that ends sooner is not enough for the attach of a VF, and is begun anew. */
const COUNTED_MS_MIN = 10_000;
/** So long the guest runs on where it is after a move was asked for, and longer than an answer takes. */
const BOTH_COUNT_MS = 500;
/** A job that is done otherwise waits no longer for figures. */
const READ_LIMIT_MS = 10_000;

/** What is watched, and where the VM is at the moment of a look. */
export interface Watched {
  readonly vmId: VmId;
  readonly pairs: readonly BondedPair[];
  readonly host: () => Hypervisor;
}

/** The guest's own count of its bonds. */
interface Recorded {
  readonly recording: RxRecording;
  /** Monotonic ms until which it goes on; 0 = it is no use any more. */
  endsMs: number;
  /** Wall clock ms from which what it counted says nothing. */
  untilMs: number;
  /** Once it was ended: what it told. Never rejects. */
  told?: Promise<readonly RxCounts[]>;
}

/** What one bond had received then. */
interface RxCount {
  /** Wall clock ms. */
  readonly at: number;
  readonly count: number;
}

/** A part of the time; wall clock ms. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Begins to watch. Whoever begins stops it. */
export function countTraffic(clock: Clock, watched: Watched): TrafficWatch {
  return new CounterWatch(clock, watched);
}

class CounterWatch implements TrafficWatch {
  readonly #clock: Clock;
  readonly #watched: Watched;
  readonly #bonds: readonly string[];
  readonly #looks: RxCounts[] = [];
  readonly #recorded: Recorded[] = [];
  readonly #stopping = new AbortController();
  /** A look at a guest that stands still hangs until the agent's limit; the other host must not wait. */
  readonly #looking = new Map<Hypervisor, Promise<void>>();
  /** Where the agent last answered. */
  #answeredAt: Hypervisor | null = null;
  #isAlone = false;
  /** The guest counts by itself until then; monotonic. */
  #countsUntilMs = 0;
  /** Rises when what was begun to have the guest count comes too late. */
  #turn = 0;
  #unaskedSinceMs: number | null = null;
  readonly #unasked: Stretch[] = [];
  readonly #loop: Promise<void>;

  constructor(clock: Clock, watched: Watched) {
    this.#clock = clock;
    this.#watched = watched;
    this.#bonds = watched.pairs.map(({ bond }) => bond);
    this.#loop = this.#untilStopped();
  }

  async countInside(): Promise<void> {
    const begun = this.#haveCounted(this.#turn);
    await withLimit(this.#clock, ALONE_LIMIT_MS, begun);
    this.#turn += 1;
  }

  async leaveAlone(): Promise<() => void> {
    this.#isAlone = true;
    await this.countInside();
    this.#unaskedSinceMs ??= this.#clock.now();
    return () => {
      this.#isAlone = false;
    };
  }

  askAgain(): void {
    this.#turn += 1;
    this.#countsUntilMs = 0;
    this.#noteAsked();
    const host = this.#watched.host();
    // Both count until an answer is there: between the two nobody would.
    const untilMs = this.#clock.now() + BOTH_COUNT_MS;
    for (const recorded of this.#recorded) {
      recorded.endsMs = 0;
      recorded.untilMs = Math.min(recorded.untilMs, untilMs);
      recorded.told ??= this.#endSoon(host, recorded.recording);
    }
  }

  async stop(unplugAskedAt: number): Promise<readonly TrafficRecord[]> {
    this.#turn += 1;
    this.#stopping.abort();
    await this.#loop;
    this.#noteAsked();
    const recordings = await this.#recordings();
    return this.#watched.pairs.map(({ vnicId }, index) => ({
      vnicId,
      ...this.#recordOf(recordings, index, unplugAskedAt),
    }));
  }

  async #untilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const host = this.#watched.host();
      if (!this.#isAlone && this.#clock.monotonicMs() >= this.#countsUntilMs) {
        this.#noteAsked();
        if (!this.#looking.has(host)) {
          const look = this.#look(host).finally(() => this.#looking.delete(host));
          this.#looking.set(host, look);
        }
      }
      await this.#clock.sleep(COUNTED_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** A count that goes on writes to memory that is to be sent, and makes the switchover longer. */
  async #endSoon(host: Hypervisor, recording: RxRecording): Promise<readonly RxCounts[]> {
    try {
      await this.#clock.sleep(BOTH_COUNT_MS, this.#stopping.signal);
      return await host.endRxRecording(this.#watched.vmId, recording);
    } catch {
      return [];
    }
  }

  /** Never rejects: the guest is not there, or not yet. */
  async #look(host: Hypervisor): Promise<void> {
    try {
      const counts = await host.guestRxPackets(this.#watched.vmId, this.#bonds);
      if (counts.every((count) => count === null)) return;
      this.#answeredAt = host;
      this.#looks.push({ at: this.#clock.now(), counts });
    } catch {
      // Nothing was answered in that time then.
    }
  }

  /**
   * After what was asked last it has the guest count by itself. One whose agent is not back after a move is
   * not asked to. Never rejects.
   */
  async #haveCounted(turn: number): Promise<void> {
    const host = this.#watched.host();
    await this.#looking.get(host);
    if (this.#turn !== turn || this.#answeredAt !== host) return;
    const last = this.#recorded.at(-1);
    if ((last?.endsMs ?? 0) < this.#clock.monotonicMs() + COUNTED_MS_MIN) {
      const recording = await host.recordRxPackets(this.#watched.vmId, this.#bonds).catch(() => null);
      if (!recording) return;
      // When it began is known by the answer: a late one tells too little. It is ended all the same.
      const isLate = this.#turn !== turn;
      const endsMs = isLate ? 0 : this.#clock.monotonicMs() + recording.lengthMs;
      this.#recorded.push({ recording, endsMs, untilMs: isLate ? 0 : Infinity });
      if (isLate) return;
    }
    this.#countsUntilMs = this.#recorded.at(-1)?.endsMs ?? 0;
    this.#unaskedSinceMs ??= this.#clock.now();
  }

  /** The guest is asked from now on. */
  #noteAsked(): void {
    if (this.#unaskedSinceMs !== null)
      this.#unasked.push({ fromMs: this.#unaskedSinceMs, toMs: this.#clock.now() });
    this.#unaskedSinceMs = null;
  }

  #recordOf(
    recordings: readonly (readonly RxCounts[])[],
    bond: number,
    unplugAskedAt: number,
  ): Omit<TrafficRecord, 'vnicId'> {
    const recorded = countsOf(recordings.flat(), bond);
    // What the guest counts is exact in time; looks between would say the same, later.
    const isRecorded = ({ at }: RxCount) =>
      recordings.some((looks) => at >= (looks[0]?.at ?? Infinity) && at <= (looks.at(-1)?.at ?? 0));
    const looks = countsOf(this.#looks, bond).filter((count) => !isRecorded(count));
    const all = [...looks, ...recorded].sort((one, two) => one.at - two.at);
    const before = all.filter(({ at }) => at < unplugAskedAt);
    const perMs = packetsPerMs(before);
    const guesses = guessed(all, perMs);
    return {
      by: 'guest',
      everyMs: COUNTED_EVERY_MS,
      endedAt: all.at(-1)?.at ?? 0,
      arrivals: [...arrivalsOf(all), ...guesses.arrivals].sort((one, two) => one - two),
      unseen: unseenOf(this.#unasked, recorded),
      unansweredMs: guesses.unansweredMs,
      lateMs: lateOf(all.slice(Math.max(0, before.length - 1)), perMs),
      // The first look has nothing to compare with.
      looksBefore: Math.max(0, before.length - 1),
      arrivalsBefore: arrivalsOf(before).length,
      doubt: null,
    };
  }

  /** What the guest counted by itself; what was not told yet is told where it is now. Never rejects. */
  async #recordings(): Promise<readonly (readonly RxCounts[])[]> {
    const ended: RxCounts[][] = [];
    const read = async () => {
      const host = this.#watched.host();
      for (const { recording, untilMs, told } of this.#recorded) {
        const before = (await told) ?? [];
        const looks = before.length > 0 ? before : await host.endRxRecording(this.#watched.vmId, recording);
        ended.push(looks.filter(({ at }) => at < untilMs));
      }
    };
    // What cannot be read any more was not seen.
    const done = read().catch(() => undefined);
    await withLimit(this.#clock, READ_LIMIT_MS, done);
    return [...ended];
  }
}

/** Of one bond of several. */
const countsOf = (looks: readonly RxCounts[], bond: number): readonly RxCount[] =>
  looks.flatMap(({ at, counts }) => {
    const count = counts[bond] ?? null;
    return count === null ? [] : [{ at, count }];
  });

/** Waits for it, but no longer. */
async function withLimit(clock: Clock, limitMs: number, pending: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const late = clock.sleep(limitMs, limit.signal).catch(() => undefined);
  await Promise.race([pending, late]);
  limit.abort();
}

function arrivalsOf(counts: readonly RxCount[]): readonly number[] {
  let most = Infinity;
  return counts.flatMap(({ at, count }) => {
    const isNew = count > most;
    most = most === Infinity ? count : Math.max(most, count);
    return isNew ? [at] : [];
  });
}

const packetsPerMs = (counts: readonly RxCount[]): number => {
  const [first, last] = [counts[0], counts.at(-1)];
  return first && last && last.at > first.at ? (last.count - first.count) / (last.at - first.at) : 0;
};

/**
 * What looks would have seen while none was answered, as for seconds after a move: what was received in that
 * time is taken to have come at its end, as fast as before the move.
 */
function guessed(
  counts: readonly RxCount[],
  perMs: number,
): { readonly arrivals: readonly number[]; readonly unansweredMs: number } {
  const arrivals: number[] = [];
  let unansweredMs = 0;
  for (const [index, { at, count }] of counts.entries()) {
    const before = counts[index - 1];
    if (!before || perMs <= 0 || at - before.at <= UNANSWERED_MS) continue;
    unansweredMs = Math.max(unansweredMs, at - before.at);
    const flowedMs = (count - before.count) / perMs;
    for (let then = Math.max(before.at, at - flowedMs); then < at; then += COUNTED_EVERY_MS)
      arrivals.push(then);
  }
  return { arrivals, unansweredMs };
}

/** The longest time between two looks, if one was late, in which the network was not silent. */
function lateOf(counts: readonly RxCount[], perMs: number): number {
  let lateMs = 0;
  for (const [index, { at, count }] of counts.entries()) {
    const before = counts[index - 1];
    if (!before || perMs <= 0) continue;
    const passedMs = at - before.at;
    if (passedMs <= LATE_MS || passedMs > UNANSWERED_MS) continue;
    if (count - before.count >= FLOWED_SHARE_MIN * perMs * passedMs) lateMs = Math.max(lateMs, passedMs);
  }
  return lateMs;
}

/** Of the times without looks, what the guest did not count either. */
function unseenOf(unasked: readonly Stretch[], counts: readonly RxCount[]): readonly Stretch[] {
  return unasked.flatMap(({ fromMs, toMs }) => {
    const inside = counts.filter(({ at }) => at >= fromMs && at <= toMs);
    const [first = toMs, last = fromMs] = [inside[0]?.at, inside.at(-1)?.at];
    if (inside.length === 0) return [{ fromMs, toMs }];
    const ends = [
      { fromMs, toMs: first },
      { fromMs: last, toMs },
    ];
    return ends.filter((end) => end.toMs - end.fromMs > UNANSWERED_MS);
  });
}
