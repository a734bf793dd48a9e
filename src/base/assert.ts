/** Assertions: a broken assumption inside Handover is a `bug`, never an operator's mistake. */
import { HandoverError } from './errors.ts';

/**
 * Throws `ASSERTION_FAILED` (kind `bug`) unless `condition` holds.
 * Use it where the program would otherwise go on with a false belief; never for input from outside.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new HandoverError('ASSERTION_FAILED', message);
}

/** Returns `value`, or throws `ASSERTION_FAILED` naming `what` if it is null or undefined. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined)
    throw new HandoverError('ASSERTION_FAILED', `${what} is missing`);
  return value;
}

/** Compile-time proof that a union was handled completely; at run time a `bug`. */
export function unreachableCase(value: never, what: string): never {
  throw new HandoverError('ASSERTION_FAILED', `${what} has the unforeseen value ${JSON.stringify(value)}`);
}
