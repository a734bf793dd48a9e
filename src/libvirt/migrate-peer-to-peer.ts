/**
 * Peer-to-peer migration: one call to the source, whose daemon dials the target's and drives the rest. It
 * goes on when the client or its connection dies; what is true must then be found by looking at both hosts.
 */
import { HandoverError } from '../base/errors.ts';
import type { LibvirtClient } from './client.ts';
import { type Domain, MIGRATE, procedures, type TypedParam } from './procedures/index.ts';

/** One migration to ask the source for. */
export interface PeerToPeerMigration {
  /** A connection of its own: it is blocked until the migration is over. */
  readonly source: LibvirtClient;
  readonly domain: Domain;
  /** What the source's daemon dials, as root there: `qemu+tls://target/system`. */
  readonly peerUri: string;
  /** Mask of `MIGRATE`; `peerToPeer` is added. */
  readonly flags: number;
  readonly params: readonly TypedParam[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Migrates. Throws `HOST_URI_INVALID` if the peer is the source itself, `LIBVIRT_REFUSED` (code 78: aborted),
 * or an unknown outcome. To stop it call `procedures.domainAbortJob` on another connection; the signal only
 * gives up waiting.
 */
export async function migratePeerToPeer(migration: PeerToPeerMigration): Promise<void> {
  const { source, domain, peerUri, flags, params, timeoutMs, signal } = migration;
  refuseLocalPeer(peerUri);
  await source.call(
    procedures.domainMigratePerform3Params,
    {
      dom: domain,
      destinationUri: peerUri,
      params,
      cookie: new Uint8Array(0),
      flags: flags | MIGRATE.peerToPeer,
    },
    { timeoutMs, ...(signal ? { signal } : {}) },
  );
}

/** libvirt leaves this check to its client: a migration to oneself would deadlock. */
function refuseLocalPeer(peerUri: string): void {
  const host = URL.canParse(peerUri) ? new URL(peerUri).hostname : '';
  if (host !== '' && !host.startsWith('localhost')) return;
  throw new HandoverError('HOST_URI_INVALID', `"${peerUri}" does not lead from the source to another host`, {
    detail: { uri: peerUri },
  });
}
