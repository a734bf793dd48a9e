/**
 * Events as they happen, for any number of listeners of one engine: one question to the store for all of
 * them, and none while nobody listens. Every listener gets every event after the one it named, once, in the
 * order of ids: ids become visible in their order (`store/events.ts`), so going on after the last one misses
 * none, whichever engine wrote it.
 */
import type { Clock } from '../base/clock.ts';
import { explain } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { HandoverEvent } from '../model/job.ts';
import type { Store } from './store-port.ts';

/** What happened is known this long after it, at most. */
const LOOK_EVERY_MS = 200;
/** After the store did not answer. */
const RETRY_EVERY_MS = 2_000;
const PAGE = 500;

/** Told of events in their order; must not throw. */
export type EventListener = (events: readonly HandoverEvent[]) => void;

interface Follower {
  readonly listener: EventListener;
  /** The last id it was told of. */
  after: number;
  stopped: boolean;
}

export class EventFeed {
  readonly #events: Pick<Store['events'], 'list'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #live = new Set<Follower>();
  /** The last id that was read for the live ones; null while there are none. */
  #last: number | null = null;

  constructor(events: Pick<Store['events'], 'list'>, clock: Clock, log: Log) {
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
  }

  /** How many listen. */
  get listeners(): number {
    return this.#live.size;
  }

  /**
   * Tells of all events after the one with the id `after`, those that happened before first; null: of those
   * from now on. Throws `STORE_UNAVAILABLE` if there is no telling where to begin. Returns how to stop.
   */
  async follow(after: number | null, listener: EventListener): Promise<() => void> {
    // A database that was made anew has smaller ids than a client may remember.
    const newest = (await this.#events.list({ limit: 1 })).at(-1)?.id ?? 0;
    const begin = Math.min(after ?? newest, newest);
    const follower: Follower = { listener, after: begin, stopped: false };
    void this.#catchUp(follower);
    return () => {
      follower.stopped = true;
      this.#live.delete(follower);
    };
  }

  /** Page by page until nothing is left; from then on with all others. */
  async #catchUp(follower: Follower): Promise<void> {
    while (!follower.stopped) {
      try {
        const page = await this.#events.list({ after: follower.after, limit: PAGE });
        this.#tell(follower, page);
        // Compared and joined in one go: what the others were told meanwhile is read in one more page.
        if (page.length < PAGE && follower.after >= (this.#last ?? 0)) {
          this.#join(follower);
          return;
        }
      } catch (thrown) {
        await this.#storeAway(thrown);
      }
    }
  }

  #join(follower: Follower): void {
    if (follower.stopped) return;
    this.#live.add(follower);
    if (this.#last !== null) return;
    this.#last = follower.after;
    void this.#look();
  }

  async #look(): Promise<void> {
    while (this.#live.size > 0) {
      await this.#clock.sleep(LOOK_EVERY_MS);
      try {
        const page = await this.#events.list({ after: this.#last ?? 0, limit: PAGE });
        this.#last = page.at(-1)?.id ?? this.#last;
        for (const follower of this.#live) this.#tell(follower, page);
      } catch (thrown) {
        await this.#storeAway(thrown);
      }
    }
    this.#last = null;
  }

  #tell(follower: Follower, page: readonly HandoverEvent[]): void {
    const news = page.filter((event) => event.id > follower.after);
    const last = news.at(-1);
    if (!last || follower.stopped) return;
    follower.after = last.id;
    follower.listener(news);
  }

  async #storeAway(thrown: unknown): Promise<void> {
    this.#log.warn('events not read; trying again', { error: explain(thrown) });
    await this.#clock.sleep(RETRY_EVERY_MS);
  }
}
