/** All procedures a simulated libvirtd knows, by their numbers on the wire, with who runs them. */
import type { Frame } from '../../libvirt/framing.ts';
import { type AnyProcedure, procedures } from '../../libvirt/procedures/index.ts';
import { decode } from '../../libvirt/xdr/codec.ts';
import { connectCalls } from './connect-calls.ts';
import { deviceCalls } from './device-calls.ts';
import { domainCalls } from './domain-calls.ts';
import { extraProcedures } from './extra-procedures.ts';
import { migrateCalls } from './migrate-calls.ts';
import type { Handlers, Session } from './session.ts';

type AnyHandler = (session: Session, args: unknown) => unknown;

/** A procedure; without a handler it is not simulated. */
export interface Callable {
  readonly key: string;
  readonly procedure: AnyProcedure;
  readonly handler: AnyHandler | undefined;
}

const HANDLERS: Handlers = { ...connectCalls, ...domainCalls, ...migrateCalls, ...deviceCalls };

/** By program and number. */
const keyOf = (program: number, number: number): number => program * 0x10000 + number;
const CALLABLE = new Map<number, Callable>(
  Object.entries({ ...extraProcedures, ...procedures } as unknown as Record<string, AnyProcedure>).map(
    ([key, procedure]) => [
      keyOf(procedure.program, procedure.number),
      { key, procedure, handler: (HANDLERS as Record<string, AnyHandler>)[key] },
    ],
  ),
);
/** Names of all procedures a simulated libvirtd knows, for rules about them. */
export const PROCEDURE_NAMES: ReadonlySet<string> = new Set([...CALLABLE.values()].map(({ key }) => key));

/** The procedure a frame calls; undefined if there is none. */
export function calledBy(frame: Frame): Callable | undefined {
  return CALLABLE.get(keyOf(frame.program, frame.procedure));
}

/** Arguments, or why they cannot be read. */
export type Args = { readonly value: unknown } | { readonly error: unknown };

/** The arguments in a frame. */
export function decodeArgs(known: Callable | undefined, frame: Frame): Args {
  try {
    return { value: known ? decode(known.procedure.args, frame.payload) : null };
  } catch (error) {
    return { error };
  }
}
