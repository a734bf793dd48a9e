/**
 * How a procedure and an event of libvirt's RPC are described. Descriptions are data: they hold both codecs,
 * so a client encodes arguments and decodes replies with them and a server does the reverse.
 *
 * The numbers and layouts in this folder are facts of libvirt's wire ABI, which is stable: messages are only
 * added (libvirt docs/support.rst, "RPC protocol"). They are the same in 9.0 and 11.3.
 */
import type { Codec } from '../xdr/codec.ts';

/** The programs a daemon serves on one connection. */
export const PROGRAM = { remote: 0x20008086, qemu: 0x20008087, keepalive: 0x6b656570 } as const;

/** Header word "procedure" of the keepalive program; frames without payload, type message, serial 0. */
export const KEEPALIVE = { ping: 1, pong: 2 } as const;

/**
 * Which workers of a daemon serve it: `high` ones never wait for a guest, and a few workers are kept for them
 * (`prio_workers`, 5) even when all others (`max_workers`, 20) are busy.
 */
export type Priority = 'low' | 'high';

/** One procedure: its number and the types of both directions. */
export interface Procedure<Args, Ret> {
  readonly name: string;
  readonly program: number;
  readonly number: number;
  readonly priority: Priority;
  readonly args: Codec<Args>;
  readonly ret: Codec<Ret>;
}

/** Any procedure, where its types do not matter. */
export type AnyProcedure = Procedure<unknown, unknown>;

/** The arguments of a procedure. */
export type ArgsOf<P> = P extends Procedure<infer Args, unknown> ? Args : never;
/** The reply of a procedure. */
export type RetOf<P> = P extends Procedure<never, infer Ret> ? Ret : never;

/** A procedure of the remote program. */
export function remote<Args, Ret>(
  number: number,
  name: string,
  priority: Priority,
  args: Codec<Args>,
  ret: Codec<Ret>,
): Procedure<Args, Ret> {
  return { name, program: PROGRAM.remote, number, priority, args, ret };
}

/** A procedure of the QEMU program; all are low priority. */
export function qemu<Args, Ret>(
  number: number,
  name: string,
  args: Codec<Args>,
  ret: Codec<Ret>,
): Procedure<Args, Ret> {
  return { name, program: PROGRAM.qemu, number, priority: 'low', args, ret };
}
