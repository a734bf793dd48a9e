/**
 * The table of procedures Handover uses, the events, and everything needed to speak about them. A client
 * calls
 * `procedures.X`; a server finds the description of what it received with `procedureByNumber`.
 */
import { connectProcedures } from './connect.ts';
import { domainProcedures } from './domain.ts';
import { eventProcedures } from './events.ts';
import { networkProcedures, nodeDeviceProcedures } from './host-objects.ts';
import { migrateProcedures } from './migrate.ts';
import type { AnyProcedure } from './procedure.ts';

/** All procedures Handover uses, by name. */
export const procedures = {
  ...connectProcedures,
  ...domainProcedures,
  ...migrateProcedures,
  ...networkProcedures,
  ...nodeDeviceProcedures,
  ...eventProcedures,
};

const byNumber = new Map<string, AnyProcedure>(
  Object.values<AnyProcedure>(procedures as Record<string, AnyProcedure>).map((one) => [
    `${one.program}:${one.number}`,
    one,
  ]),
);

/** The description of a received call; undefined if Handover does not use that procedure. */
export function procedureByNumber(program: number, number: number): AnyProcedure | undefined {
  return byNumber.get(`${program}:${number}`);
}

export * from './codes.ts';
export { CONNECTION_CLOSED, DOMAIN_EVENTS, type EventKind, NODE_DEVICE_EVENTS } from './events.ts';
export * from './flags.ts';
export { KEEPALIVE, PROGRAM } from './procedure.ts';
export type { AnyProcedure, ArgsOf, Priority, Procedure, RetOf } from './procedure.ts';
export * from './typed-params.ts';
export {
  type Domain,
  type Network,
  type NodeDevice,
  type WireError,
  wireError,
} from './types.ts';
