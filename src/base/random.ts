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
