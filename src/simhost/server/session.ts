/**
 * What a handler of a call may know and do: the host it came to, who else is there, and the connection's own
 * state. One per connection. Handlers are plain functions in `*-calls.ts`, found by the name of their
 * procedure.
 */
import type { procedures } from '../../libvirt/procedures/index.ts';
import type { Infer } from '../../libvirt/xdr/codec.ts';
import type { SimDomain } from '../domain.ts';
import type { SimFabric } from '../fabric.ts';
import type { SimHost } from '../host.ts';
import type { extraProcedures } from './extra-procedures.ts';

/** A registration for events. */
export interface Registration {
  readonly of: 'domain' | 'nodeDevice';
  /** Name in the event table. */
  readonly event: string;
  /** Only this domain (UUID) or device (name). */
  readonly only: string | null;
}

export interface Session {
  readonly host: SimHost;
  readonly fabric: SimFabric;
  /** Driver URI it was opened with; null before. */
  uri: string | null;
  readOnly: boolean;
  register(registration: Registration): number;
  deregister(callbackId: number): void;
  /** The daemon begins to ping. */
  startKeepalive(): void;
  /** Runs when the connection ends; returns how to take it back. */
  onEnd(listener: () => void): () => void;
  /** Ends the connection after the answer was sent. */
  closeAfterReply(): void;
}

type Table = typeof procedures & typeof extraProcedures;

/** Handlers by procedure name, with the types of the table. */
export type Handlers = {
  readonly [K in keyof Table]?: (
    session: Session,
    args: Infer<Table[K]['args']>,
  ) => Infer<Table[K]['ret']> | Promise<Infer<Table[K]['ret']>>;
};

/** The domain a call is about: by UUID, as libvirtd looks it up. */
export function domainOf(session: Session, args: { readonly dom: { readonly uuid: string } }): SimDomain {
  return session.host.byUuid(args.dom.uuid);
}
