/**
 * Watches the traffic of a VM by the counters of its bonds, through the guest's agent, which is asked at the
 * host it is on. While VFs leave and come the guest counts by itself if it may run commands. Whatever
 * goes wrong is a doubt in the record. Caller: `traffic.ts`.
 */
import type { Clock } from '../base/clock.ts';
import type { VmId } from '../base/ids.ts';
import type { Hypervisor, RxCount, RxRecording } from '../hypervisor/port.ts';
import type { TrafficRecord } from '../migration/network-gap.ts';
import type { TrafficWatch } from '../migration/port.ts';
import type { BondedPair } from '../model/guest.ts';

/** Between two looks at a counter. */
const COUNTED_EVERY_MS = 100;
/** So long without an answer says something of the agent, not of the network. */
const UNANSWERED_MS = 1_000;
/** Whoever wants the guest left alone waits no longer for that: a VM is without its VF meanwhile. */
const ALONE_LIMIT_MS = 1_000;
/** A guest's own count that ends sooner is not enough for the attach of a VF, and is begun anew. */
const COUNTED_MS_MIN = 10_000;

/** What is watched, and where the VM is at the moment of a look. */
export interface Watched {
  readonly vmId: VmId;
  readonly pairs: readonly BondedPair[];
  readonly host: () => Hypervisor;
}

/** A bond whose counter is looked at. */
interface Counted {
  readonly pair: BondedPair;
  /** What the looks saw. */
  readonly counts: RxCount[];
  /** The guest's own count that goes on. */
  recording: RxRecording | null;
  /** Those that ended; never reject. */
  readonly recorded: Promise<readonly RxCount[]>[];
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
  readonly #bonds: readonly Counted[];
  readonly #stopping = new AbortController();
  /** A look at a guest that stands still hangs until the agent's limit; the other host must not wait. */
  readonly #looking = new Map<Hypervisor, Promise<void>>();
  /** Where the agent last answered. */
  #answeredAt: Hypervisor | null = null;
  #isAlone = false;
  /** The guest counts every bond by itself until then. */
  #countsUntilMs = 0;
  #unaskedSinceMs: number | null = null;
  readonly #unasked: Stretch[] = [];
  #ending = Promise.resolve();
  readonly #loop: Promise<void>;

  constructor(clock: Clock, watched: Watched) {
    this.#clock = clock;
    this.#watched = watched;
    this.#bonds = watched.pairs.map((pair) => ({ pair, counts: [], recording: null, recorded: [] }));
    this.#loop = this.#untilStopped();
  }

  async countInside(): Promise<void> {
    const limit = new AbortController();
    const late = this.#clock.sleep(ALONE_LIMIT_MS, limit.signal).catch(() => undefined);
    await Promise.race([this.#haveCounted(), late]);
    limit.abort();
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
    this.#countsUntilMs = 0;
    // The first answer comes before the guest's own count ends: between the two nobody would look.
    this.#ending = this.#ask(this.#watched.host()).then(() => this.#bonds.forEach((bond) => this.#end(bond)));
  }

  async stop(unplugAskedAt: number): Promise<readonly TrafficRecord[]> {
    this.#stopping.abort();
    await Promise.all([this.#loop, this.#ending]);
    this.#noteAnswers();
    return Promise.all(this.#bonds.map((bond) => this.#recordOf(bond, unplugAskedAt)));
  }

  async #untilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (!this.#isAlone && this.#clock.now() >= this.#countsUntilMs) {
        this.#noteAnswers();
        void this.#ask(this.#watched.host());
      }
      await this.#clock.sleep(COUNTED_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** What was begun last, if it still goes on. Never rejects. */
  #ask(host: Hypervisor): Promise<void> {
    const look = this.#looking.get(host) ?? this.#look(host).finally(() => this.#looking.delete(host));
    this.#looking.set(host, look);
    return look;
  }

  /** Never rejects: the guest is not there, or not yet. */
  async #look(host: Hypervisor): Promise<void> {
    try {
      for (const bond of this.#bonds) {
        const count = await host.guestRxPackets(this.#watched.vmId, bond.pair.bond);
        if (count === null) continue;
        this.#answeredAt = host;
        bond.counts.push({ at: this.#clock.now(), count });
      }
    } catch {
      // Nothing was answered in that time then.
    }
  }

  /**
   * After what was asked last it has the guest count by itself. One whose agent is not back after a move is
   * not asked to.
   */
  async #haveCounted(): Promise<void> {
    const host = this.#watched.host();
    await this.#looking.get(host);
    if (this.#answeredAt !== host) return;
    for (const bond of this.#bonds) {
      const enoughMs = this.#clock.now() + COUNTED_MS_MIN;
      if (bond.recording !== null && bond.recording.endsAt >= enoughMs) continue;
      this.#end(bond);
      bond.recording = await host.recordRxPackets(this.#watched.vmId, bond.pair.bond).catch(() => null);
    }
    this.#countsUntilMs = Math.min(...this.#bonds.map(({ recording }) => recording?.endsAt ?? 0));
    if (this.#countsUntilMs > 0) this.#unaskedSinceMs ??= this.#clock.now();
  }

  /** The guest is asked from now on. */
  #noteAnswers(): void {
    if (this.#unaskedSinceMs !== null)
      this.#unasked.push({ fromMs: this.#unaskedSinceMs, toMs: this.#clock.now() });
    this.#unaskedSinceMs = null;
  }

  /** Ends a guest's own count. It may be late to end, and has another idea of the time after a move. */
  #end(bond: Counted): void {
    const { recording } = bond;
    const now = this.#clock.now();
    const told = recording?.end().then(
      (counts) => counts.filter(({ at }) => at <= now),
      () => [],
    );
    if (told) bond.recorded.push(told);
    bond.recording = null;
  }

  async #recordOf(bond: Counted, unplugAskedAt: number): Promise<TrafficRecord> {
    this.#end(bond);
    const recorded = (await Promise.all(bond.recorded)).flat();
    const all = [...bond.counts, ...recorded].sort((one, two) => one.at - two.at);
    const before = all.filter(({ at }) => at < unplugAskedAt);
    const guesses = guessed(all, packetsPerMs(before));
    return {
      vnicId: bond.pair.vnicId,
      by: 'guest',
      everyMs: COUNTED_EVERY_MS,
      arrivals: [...arrivalsOf(all), ...guesses.arrivals].sort((one, two) => one - two),
      unseen: unseenOf(this.#unasked, recorded),
      unansweredMs: guesses.unansweredMs,
      // The first look has nothing to compare with.
      looksBefore: Math.max(0, before.length - 1),
      arrivalsBefore: arrivalsOf(before).length,
      doubt: null,
    };
  }
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

/** Of the times without looks, what the guest did not count either. */
function unseenOf(unasked: readonly Stretch[], counts: readonly RxCount[]): readonly Stretch[] {
  return unasked.flatMap(({ fromMs, toMs }) => {
    const last = counts.findLast(({ at }) => at >= fromMs && at <= toMs)?.at ?? null;
    if (last === null) return [{ fromMs, toMs }];
    return toMs - last > UNANSWERED_MS ? [{ fromMs: last, toMs }] : [];
  });
}
