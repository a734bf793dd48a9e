/**
 * How often sign-on may fail: by name and by address, counted in the store, so that all engines count
 * together. Whoever fails too often is refused for a while that doubles, the right password included; one
 * success, or an hour without a failure, forgets it. Names are counted whether there is such a user or not.
 */
import { createHash } from 'node:crypto';
import { HandoverError } from '../base/errors.ts';
import type { AppParts } from './parts.ts';
import type { SignOnFailures } from './store-port.ts';

/** From this many failures on. Many people may share an address, nobody shares a name. */
const FAILURES_MAX = { name: 5, address: 20 } as const;
const REFUSED_MS_FIRST = 30_000;
const REFUSED_MS_MAX = 15 * 60_000;
const FORGOTTEN_AFTER_MS = 60 * 60_000;

type Kind = keyof typeof FAILURES_MAX;

/** Hashed: people type passwords where the name belongs. */
const keyOf = (kind: Kind, text: string): string =>
  `${kind} ${createHash('sha256').update(text).digest('hex')}`;

/** What failures after `before` are, with one more at `now`. Pure. */
export function oneMore(before: SignOnFailures | null, kind: Kind, now: number): SignOnFailures {
  const recent = before !== null && now - before.failedAt < FORGOTTEN_AFTER_MS ? before.failures : 0;
  const failures = recent + 1;
  const over = failures - FAILURES_MAX[kind];
  const refusedMs = over < 0 ? 0 : Math.min(REFUSED_MS_FIRST * 2 ** over, REFUSED_MS_MAX);
  return { failures, failedAt: now, refusedUntil: now + refusedMs };
}

/** The wrong name or password, or too many of them: told apart by the advice only. */
export function refusal(user: string, advice: string): HandoverError {
  return new HandoverError('SIGN_ON_REFUSED', `Cannot authenticate user ${user}: ${advice}`);
}

const tooMany = (waitMs: number): string =>
  `too many sign-ons failed; try again in ${Math.ceil(waitMs / 1_000)} s`;

/** Throws `SIGN_ON_REFUSED` while the name or the address is to wait. */
export async function refuseIfTooMany(parts: AppParts, user: string, address: string): Promise<void> {
  const keys = [keyOf('name', user), keyOf('address', address)];
  const kept = await parts.store.signOnFailures.list(keys);
  const waitMs = Math.max(0, ...kept.map((each) => each.refusedUntil)) - parts.clock.now();
  if (waitMs > 0) throw refusal(user, tooMany(waitMs));
}

/** Counts a failure and returns what to answer. `isKnown`: only names of users are logged. */
export async function countFailure(
  parts: AppParts,
  user: string,
  address: string,
  isKnown: boolean,
): Promise<HandoverError> {
  const { store, clock, log } = parts;
  const now = clock.now();
  let waitMs = 0;
  for (const [kind, text] of [
    ['name', user],
    ['address', address],
  ] as const) {
    await store.signOnFailures.change(keyOf(kind, text), (before) => {
      const after = oneMore(before, kind, now);
      waitMs = Math.max(waitMs, after.refusedUntil - now);
      return after;
    });
  }
  await store.signOnFailures.removeBefore(now - FORGOTTEN_AFTER_MS);
  if (waitMs > 0) {
    const name = isKnown ? { user } : {};
    log.warn('too many sign-ons failed and are refused for a while', { ...name, address, waitMs });
  }
  const wrong = 'the name or the password is wrong';
  return refusal(user, waitMs === 0 ? wrong : `${wrong}, and ${tooMany(waitMs)}`);
}

/** After a success. */
export async function forgetFailures(parts: AppParts, user: string, address: string): Promise<void> {
  await parts.store.signOnFailures.remove([keyOf('name', user), keyOf('address', address)]);
}

/** After a user got another password: what failed with the old one says nothing of the new. */
export async function forgetFailuresOf(parts: AppParts, user: string): Promise<void> {
  await parts.store.signOnFailures.remove([keyOf('name', user)]);
}
