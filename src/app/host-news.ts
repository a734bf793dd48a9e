/**
 * What an engine heard of each host since it last looked. Whoever looks at a whole host (a job that ends, the
 * monitor, a user) has also seen what was told before; the monitor need not look once more for that.
 */
import type { HostId } from '../base/ids.ts';
import type { Hypervisors } from '../hypervisor/port.ts';
import type { AppParts } from './parts.ts';

/** Of one host, in one engine. */
export class HostNews {
  #told = 0;
  #seen = 0;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  /** Something happened there, or may have happened unheard. */
  tell(): void {
    this.#told += 1;
  }

  /** To be called before looking, at `nowMs`; the returned function once what was seen is stored. */
  look(nowMs: number): () => void {
    const told = this.#told;
    return () => {
      this.#seen = Math.max(this.#seen, told);
      this.#seenAtMs = Math.max(this.#seenAtMs, nowMs);
    };
  }

  /**
   * Until when a look is not needed, monotonic ms, if looks hold for `holdMs`; in the past: news is unseen.
   */
  freshUntilMs(holdMs: number): number {
    return this.#told === this.#seen ? this.#seenAtMs + holdMs : Number.NEGATIVE_INFINITY;
  }
}

/** By the hosts an engine reaches, which live as long as it does. */
const ofEngine = new WeakMap<Hypervisors, Map<HostId, HostNews>>();

/** The news of one host in this engine. */
export function newsOf({ hypervisors }: AppParts, id: HostId): HostNews {
  const known = ofEngine.get(hypervisors) ?? new Map<HostId, HostNews>();
  ofEngine.set(hypervisors, known);
  const news = known.get(id) ?? new HostNews();
  known.set(id, news);
  return news;
}
