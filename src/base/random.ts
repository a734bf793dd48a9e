/** Randomness, injected, so that a campaign's seed decides everything. */
import { randomBytes, randomUUID } from 'node:crypto';

export interface Random {
  /** A new RFC 4122 version 4 UUID, lower case. */
  uuid(): string;
  /** Uniform in [0, 1). */
  next(): number;
  /** `count` unpredictable bytes; for tokens and salts. */
  bytes(count: number): Buffer;
}

/** The machine's own randomness. */
export const systemRandom: Random = {
  uuid: () => randomUUID(),
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
};

/**
 * A generator (mulberry32) that a seed decides: the same seed gives the same run. For simulated hosts and
 * campaigns; never for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => next32() & 0xff));
  return {
    next: () => next32() / 2 ** 32,
    bytes,
    uuid() {
      const hex = bytes(16).toString('hex');
      const variant = '89ab'.charAt(next32() & 3);
      const parts = [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `${variant}${hex.slice(17, 20)}`,
      ];
      return [...parts, hex.slice(20)].join('-');
    },
  };
}
