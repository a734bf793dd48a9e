/**
 * Peer-to-peer migration: the source's libvirtd dials the target's and drives the five phases itself. It goes
 * on when the client that asked is gone. The calls it makes on the target are calls like any others: faults
 * of the target apply to them.
 *
 * When the answer of the last phase is lost, the source lets its guest run again, although it may run on the
 * target: that is what the real one does (qemuMigrationSrcConfirm with cancelled=1).
 */
import { MIGRATE, MIGRATE_PARAM } from '../libvirt/procedures/flags.ts';
import { param, type TypedParam, withParam } from '../libvirt/procedures/typed-params.ts';
import type { SimDomain } from './domain.ts';
import type { SimFabric } from './fabric.ts';
import type { SimHost } from './host.ts';
import { strike } from './machine.ts';
import { begin, confirm, type MigrateRequest, perform } from './migration-source.ts';
import { finish, type Incoming, prepare } from './migration-target.ts';
import { refuse, refuseWithCode } from './refusal.ts';

/** libvirt's keepalive gives a silent peer up after this time. */
const SILENCE_MS = 30_000;

/** The connection between two daemons. */
class PeerConnection {
  readonly target: SimHost;
  readonly #fabric: SimFabric;
  readonly #source: SimHost;
  #incoming: Incoming | null = null;
  readonly #unhook: () => void;

  constructor(fabric: SimFabric, source: SimHost, uri: string) {
    this.#fabric = fabric;
    this.#source = source;
    this.target = fabric.dial(source, uri);
    const signal = source.daemonSignal();
    const lost = () => this.close();
    signal.addEventListener('abort', lost, { once: true });
    this.#unhook = () => signal.removeEventListener('abort', lost);
  }

  /** The QEMU this connection ordered; it ends with the connection unless the guest runs in it. */
  owns(incoming: Incoming): void {
    this.#incoming = incoming;
  }

  /** The connection ends: the target's libvirtd ends what it started for us. */
  close(): void {
    this.#unhook();
    const incoming = this.#incoming;
    this.#incoming = null;
    if (incoming) this.target.tellDaemon(() => incoming.connectionLost());
  }

  /** Calls the target's daemon. */
  async call<T>(procedure: string, run: () => Promise<T>): Promise<T> {
    const { clock } = this.#source.context;
    if (!this.target.daemonUp || this.#fabric.linkCut(this.#source, this.target)) throw this.#broken();
    const effect = this.#fabric.faults.decide(procedure, this.target.name);
    switch (effect?.type) {
      case 'refuse':
        throw refuseWithCode(effect.libvirtCode, effect.message);
      case 'dropRequest':
        throw this.#broken();
      case 'hang':
        await clock.sleep(SILENCE_MS, this.#source.daemonSignal());
        throw this.#broken();
      case 'delay':
        await clock.sleep(effect.delayMs, this.#source.daemonSignal());
        break;
      case 'restartLibvirtd':
      case 'crashHost':
        strike(this.target, effect);
        throw this.#broken();
      case 'dropReply':
      case undefined:
    }
    const result = await this.#run(run);
    if (effect?.type === 'dropReply' || this.#fabric.linkCut(this.#source, this.target)) throw this.#broken();
    return result;
  }

  /** A daemon that dies meanwhile answers nothing. */
  async #run<T>(run: () => Promise<T>): Promise<T> {
    const daemon = this.target.daemonSignal();
    try {
      return await run();
    } catch (error) {
      throw daemon.aborted ? this.#broken() : error;
    }
  }

  #broken(): Error {
    this.close();
    return refuse('system', 'Cannot recv data: Connection reset by peer');
  }
}

/**
 * virDomainMigratePerform3Params with a destination URI. Resolves when the source has let go of its domain.
 */
export async function migratePeerToPeer(
  fabric: SimFabric,
  host: SimHost,
  domain: SimDomain,
  uri: string,
  request: MigrateRequest,
): Promise<void> {
  domain.running;
  const peer = new PeerConnection(fabric, host, uri);
  const flags = request.flags | MIGRATE.changeProtection;
  const daemon = host.daemonSignal();
  try {
    const begun = await begin(host, domain, { params: request.params, flags });
    try {
      await phases(fabric, host, domain, peer, begun, { params: request.params, flags });
    } finally {
      // A daemon that died has forgotten the job by itself, and its domains may have a new one.
      if (!daemon.aborted) domain.lock.endAsync();
      else domain.transfer = null;
    }
  } finally {
    peer.close();
  }
}

async function phases(
  fabric: SimFabric,
  host: SimHost,
  domain: SimDomain,
  peer: PeerConnection,
  begun: { readonly cookie: Uint8Array; readonly xml: string },
  request: MigrateRequest,
): Promise<void> {
  const { target } = peer;
  // What the daemon had not done when it died never happens, also if another one runs by then.
  const daemon = host.daemonSignal();
  const targetFlags = request.flags & ~(MIGRATE.autoConverge | MIGRATE.abortOnError);
  const params: TypedParam[] = withParam(
    request.params,
    param.string(MIGRATE_PARAM.destinationXml, begun.xml),
  );
  const prepared = await peer.call('domainMigratePrepare3Params', () =>
    prepare(fabric, target, { params, cookie: begun.cookie, flags: targetFlags }),
  );
  daemon.throwIfAborted();
  const { incoming } = prepared;
  peer.owns(incoming);
  const end = (cancelled: boolean) =>
    peer.call('domainMigrateFinish3Params', () =>
      finish(target, incoming, { flags: targetFlags, cancelled }),
    );
  try {
    await perform(fabric, host, domain, incoming, request);
  } catch (error) {
    daemon.throwIfAborted();
    // The target hears that it was in vain; if it does not, the end of the connection tells it.
    await end(true).catch(() => undefined);
    throw error;
  }
  daemon.throwIfAborted();
  try {
    await end(false);
  } catch (error) {
    daemon.throwIfAborted();
    await confirm(host, domain, { flags: request.flags, cancelled: true });
    throw error;
  }
  daemon.throwIfAborted();
  await confirm(host, domain, { flags: request.flags, cancelled: false });
}
