/**
 * Faults as rules: what goes wrong, where, how often. Consulted for every call a simulated libvirtd receives,
 * from the engine and from another daemon in a peer-to-peer migration alike; for every event it sends; for
 * the bytes between it and its clients; and at the moments of a migration. Rules are plain data, the same in
 * a test, in a file and on the control socket.
 *
 * `dropReply` is the one that pays: it happened, but nobody is told.
 */
import type { Random } from '../base/random.ts';
import type { SimAct } from './acts.ts';

/** Where and how often a rule applies. */
interface Occasion {
  /** Host that receives the call, sends the event, or where the moment comes; absent = any. */
  readonly host?: string;
  /** Only the nth time (from 1). */
  readonly nth?: number;
  /** Else each time with this probability; absent = always. */
  readonly probability?: number;
  /** Applies at most so often; absent = without limit. */
  readonly maxCount?: number;
}

/** What happens to a host, or to anything else in the model, because something else happens. */
export type BlowEffect =
  /** The host loses power. */
  | { readonly type: 'crashHost' }
  /** SIGKILL of libvirt; QEMUs live on. It is started again after `restartAfterMs`; null = never. */
  | { readonly type: 'restartLibvirtd'; readonly restartAfterMs: number | null }
  /** Somebody does something. */
  | { readonly type: 'act'; readonly act: SimAct };

/** What goes wrong with a call. */
export type CallEffect =
  /** Answers an error without doing anything. */
  | { readonly type: 'refuse'; readonly libvirtCode: number; readonly message: string }
  /** Does it, then closes the connection instead of answering. */
  | { readonly type: 'dropReply' }
  /** Closes the connection without doing anything. */
  | { readonly type: 'dropRequest' }
  /** Does nothing and never answers; the connection stays. */
  | { readonly type: 'hang' }
  /** Closes the connection; what was asked goes on. */
  | { readonly type: 'closeConnection' }
  | BlowEffect;

/** Effects on the call and its answer alone; a delay makes it late. The others happen beside the call. */
export const SPOILS_ANSWER: ReadonlySet<string> = new Set(['refuse', 'dropReply', 'dropRequest', 'hang']);

/** A rule about calls. */
export interface CallRule extends Occasion {
  /** Name in the procedure table: `domainMigrateFinish3Params`. */
  readonly procedure: string;
  /**
   * For `closeConnection` and blows: they come so long after the call, which runs meanwhile (without it a
   * blow comes first). Else the call is late by it.
   */
  readonly delayMs?: number;
  /** Absent: it is late, and nothing else. */
  readonly effect?: CallEffect;
}

/** A rule about events. */
export interface EventRule extends Occasion {
  /** `lifecycle`, `deviceRemoved`... */
  readonly event: string;
  /** Nobody hears of it, or everybody twice. */
  readonly effect: { readonly type: 'loseEvent' | 'repeatEvent' };
}

/** Which way bytes go, as the daemon sees it. */
export type ByteDirection = 'received' | 'sent';

/** A rule about the bytes of connections; what is counted are pieces as they come, a message or so. */
export interface BytesRule extends Occasion {
  readonly bytes: ByteDirection;
  /** These bytes and those after them are late by it, or the effect is. */
  readonly delayMs?: number;
  /** `hang`: nothing passes any more in this direction, and nobody is told. */
  readonly effect?: { readonly type: 'hang' | 'closeConnection' };
}

/** Moments of a migration, in their order; all but the last two come on the source. */
export const MOMENTS = [
  'transferBegins',
  'switchover',
  'transferDone',
  'guestResumed',
  'sourceEnds',
] as const;

/**
 * `transferBegins`: memory begins to move; `switchover`: the guest stands still on the source;
 * `transferDone`: the target has everything, it runs nowhere; `guestResumed` (on the target): it runs there;
 * `sourceEnds` (on the source): its QEMU there is about to be ended.
 */
export type Moment = (typeof MOMENTS)[number];

/** A rule about moments. */
export interface MomentRule extends Occasion {
  readonly moment: Moment;
  /** So long after the moment. */
  readonly delayMs?: number;
  readonly effect: BlowEffect;
}

/** One rule. */
export type FaultRule = CallRule | EventRule | BytesRule | MomentRule;

interface Counted {
  readonly rule: FaultRule;
  seen: number;
  applied: number;
}

/** All rules of one fleet. */
export class FaultTable {
  readonly #random: Random;
  #rules: Counted[] = [];

  /** `random` decides where a probability is given. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** Adds a rule; the returned function takes it back. */
  add(rule: FaultRule): () => void {
    const counted = { rule, seen: 0, applied: 0 };
    this.#rules.push(counted);
    return () => {
      this.#rules = this.#rules.filter((each) => each !== counted);
    };
  }

  /** Takes all rules back; what they did stays, and what they have yet to do does not happen. */
  clear(): void {
    this.#rules = [];
  }

  /** Whether nobody has taken it back. */
  isInForce(rule: FaultRule): boolean {
    return this.#rules.some((each) => each.rule === rule);
  }

  /** All rules, and how often each applied. */
  list(): { readonly rule: FaultRule; readonly applied: number }[] {
    return this.#rules.map(({ rule, applied }) => ({ rule, applied }));
  }

  /** What happens to this call; null = nothing unusual. */
  ofCall(procedure: string, host: string): CallRule | null {
    return this.#first(host, (rule) => 'procedure' in rule && rule.procedure === procedure && rule);
  }

  /** What happens to this event. */
  ofEvent(event: string, host: string): EventRule | null {
    return this.#first(host, (rule) => 'event' in rule && rule.event === event && rule);
  }

  /** What happens to these bytes. */
  ofBytes(direction: ByteDirection, host: string): BytesRule | null {
    return this.#first(host, (rule) => 'bytes' in rule && rule.bytes === direction && rule);
  }

  /** What happens at this moment. */
  ofMoment(moment: Moment, host: string): MomentRule | null {
    return this.#first(host, (rule) => 'moment' in rule && rule.moment === moment && rule);
  }

  /** The first rule that applies wins; all that could have count the occasion. */
  #first<Rule extends FaultRule>(host: string, about: (rule: FaultRule) => Rule | false): Rule | null {
    let first: Rule | null = null;
    for (const each of this.#rules) {
      const rule = about(each.rule);
      if (!rule || (rule.host ?? host) !== host) continue;
      each.seen += 1;
      if (first || !this.#applies(each)) continue;
      each.applied += 1;
      first = rule;
    }
    return first;
  }

  #applies({ rule, seen, applied }: Counted): boolean {
    if (rule.nth !== undefined && seen !== rule.nth) return false;
    if (applied >= (rule.maxCount ?? Infinity)) return false;
    return rule.probability === undefined || this.#random.next() < rule.probability;
  }
}
