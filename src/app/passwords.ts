/**
 * Passwords: hashed with scrypt, compared in constant time, a few at a time. Hashing is dear on purpose, so
 * whoever asks for much of it waits, and is sent away rather than kept waiting for long: the engine has VMs
 * to move. The turns are one process's, as its processors are.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { HandoverError } from '../base/errors.ts';

/** scrypt with RFC 7914's interactive parameters (Node's defaults); the salt is stored beside the key. */
const deriveKey = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;
const KEY_BYTES = 32;
const LENGTH_MIN = 8;
const LENGTH_MAX = 1_000;

/** Of the four threads Node has for such work, so that files and names are still looked up meanwhile. */
const AT_A_TIME = 2;
/** A turn takes some 50 ms: the last of so many waits three seconds. */
const WAITING_MAX = 128;
/** Nobody alone fills the queue. */
const WAITING_MAX_EACH = 32;

/** `scrypt$SALT$KEY`, hex. */
export async function hashPassword(password: string, salt: Buffer): Promise<string> {
  const key = await deriveKey(password, salt, KEY_BYTES);
  return `scrypt$${salt.toString('hex')}$${key.toString('hex')}`;
}

/** Whether a password is the one of a hash. */
export async function isPasswordOf(hash: string, password: string): Promise<boolean> {
  const [scheme, salt, key] = hash.split('$');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const derived = await deriveKey(password, Buffer.from(salt, 'hex'), KEY_BYTES);
  return timingSafeEqual(derived, Buffer.from(key, 'hex'));
}

/** Costs as much to compare with as any other, and is nobody's. */
export const DECOY_HASH = `scrypt$${'00'.repeat(16)}$${'00'.repeat(KEY_BYTES)}`;

/** Throws `INVALID_INPUT` for a password that is too short to keep anybody out. */
export function checkNewPassword(password: string): void {
  if (password.length >= LENGTH_MIN && password.length <= LENGTH_MAX) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `a password must have from ${LENGTH_MIN} to ${LENGTH_MAX} characters; choose another`,
  );
}

/** Turns at something that must not be done by too many at a time. */
export class Turns {
  #free: number;
  readonly #waiting: { readonly who: string; readonly go: () => void }[] = [];

  constructor(atATime: number) {
    this.#free = atATime;
  }

  /** Runs `work` when it is its turn. `WAIT_TIMED_OUT` at once if too many wait, or too many of `who`. */
  async take<T>(who: string, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(who);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next.go();
      else this.#free += 1;
    }
  }

  #wait(who: string): Promise<void> {
    const own = this.#waiting.filter((each) => each.who === who).length;
    if (this.#waiting.length >= WAITING_MAX || own >= WAITING_MAX_EACH) {
      throw new HandoverError('WAIT_TIMED_OUT', 'too many sign-ons at a time; try again in a few seconds');
    }
    return new Promise((go) => {
      this.#waiting.push({ who, go });
    });
  }
}

/** The turns at comparing passwords of this process. `who`: the address that asks. */
export const passwordTurns = new Turns(AT_A_TIME);
