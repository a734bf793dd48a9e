/**
 * Faults as rules: what goes wrong, in which call, on which host, how often. Consulted for every call a
 * simulated libvirtd receives, from the engine and from another daemon in a peer-to-peer migration alike, and
 * for every event it sends.
 *
 * `dropReply` is the one that pays: it happened, but nobody is told.
 */
import type { Random } from '../base/random.ts';

/** What goes wrong. */
export type FaultEffect =
  /** Answers an error without doing anything. */
  | { readonly type: 'refuse'; readonly libvirtCode: number; readonly message: string }
  /** Does it, then closes the connection instead of answering. */
  | { readonly type: 'dropReply' }
  /** Closes the connection without doing anything. */
  | { readonly type: 'dropRequest' }
  /** Does nothing and never answers; the connection stays. */
  | { readonly type: 'hang' }
  /** Does it, later. */
  | { readonly type: 'delay'; readonly delayMs: number }
  /**
   * SIGKILL of libvirtd before it did anything; QEMUs live on. It is started again after `restartAfterMs`.
   */
  | { readonly type: 'restartLibvirtd'; readonly restartAfterMs: number }
  /** The host loses power. */
  | { readonly type: 'crashHost' };

/** When it goes wrong, and how. */
export interface FaultRule {
  /** Name in the procedure table: `domainMigrateFinish3Params`. */
  readonly procedure: string;
  /** Host that receives the call; absent = any. */
  readonly host?: string;
  /** Only the nth matching call (from 1). */
  readonly nth?: number;
  /** Else each with this probability; absent = always. */
  readonly probability?: number;
  /** Applies at most so often; absent = without limit (once if `nth` is given). */
  readonly maxCount?: number;
  readonly effect: FaultEffect;
}

/** Which event messages get lost. */
export interface LostEventRule {
  /** `lifecycle`, `deviceRemoved`... */
  readonly event: string;
  readonly host?: string;
  readonly maxCount?: number;
}

interface Counted<Rule> {
  readonly rule: Rule;
  seen: number;
  applied: number;
}

/** All rules of one fleet. */
export class FaultTable {
  readonly #random: Random;
  #calls: Counted<FaultRule>[] = [];
  #events: Counted<LostEventRule>[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Adds a rule; the returned function takes it back. */
  add(rule: FaultRule): () => void {
    const counted = { rule, seen: 0, applied: 0 };
    this.#calls.push(counted);
    return () => {
      this.#calls = this.#calls.filter((each) => each !== counted);
    };
  }

  /** Makes events get lost; the returned function ends it. */
  loseEvents(rule: LostEventRule): () => void {
    const counted = { rule, seen: 0, applied: 0 };
    this.#events.push(counted);
    return () => {
      this.#events = this.#events.filter((each) => each !== counted);
    };
  }

  clear(): void {
    this.#calls = [];
    this.#events = [];
  }

  /** What happens to this call; null = nothing unusual. The first rule that applies wins. */
  decide(procedure: string, host: string): FaultEffect | null {
    for (const each of this.#calls) {
      const { rule } = each;
      if (rule.procedure !== procedure || (rule.host ?? host) !== host) continue;
      each.seen += 1;
      if (rule.nth !== undefined && each.seen !== rule.nth) continue;
      if (each.applied >= (rule.maxCount ?? Infinity)) continue;
      if (rule.probability !== undefined && this.#random.next() >= rule.probability) continue;
      each.applied += 1;
      return rule.effect;
    }
    return null;
  }

  /** True if this event message is to be lost. */
  losesEvent(event: string, host: string): boolean {
    const lost = this.#events.find(
      ({ rule, applied }) =>
        rule.event === event && (rule.host ?? host) === host && applied < (rule.maxCount ?? Infinity),
    );
    if (lost) lost.applied += 1;
    return lost !== undefined;
  }
}
