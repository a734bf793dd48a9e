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
import { type CallRule, SPOILS_ANSWER } from './faults.ts';
import { begin, confirm, type MigrateRequest, perform } from './migration-source.ts';
import { finish, type Incoming, prepare } from './migration-target.ts';
import { refuse, refuseWithCode } from './refusal.ts';
import { SILENCE_MS } from './timings.ts';

/** The connection between two daemons. */
class PeerConnection {
  readonly target: SimHost;
  readonly #fabric: SimFabric;
  readonly #source: SimHost;
  #incoming: Incoming | null = null;
  #closed = false;
  readonly #unhook: () => void;

  constructor(fabric: SimFabric, source: SimHost, uri: string) {
    this.#fabric = fabric;
    this.#source = source;
    this.target = fabric.dial(source, uri);
    const signal = source.daemonSignal();
    // A source without power says nothing: the target's daemon notices that later.
    const lost = () => {
      if (source.powered) this.close();
      else source.context.clock.after(SILENCE_MS, () => this.close());
    };
    signal.addEventListener('abort', lost, { once: true });
    this.#unhook = () => signal.removeEventListener('abort', lost);
  }

  /** The QEMU this connection ordered; it ends with the connection unless the guest runs in it. */
  owns(incoming: Incoming): void {
    this.#incoming = incoming;
    if (this.#closed) this.close();
  }

  /** The connection ends: the target's libvirtd ends what it started for us. */
  close(): void {
    this.#closed = true;
    this.#unhook();
    const incoming = this.#incoming;
    this.#incoming = null;
    if (incoming) this.target.tellDaemon(() => incoming.connectionLost());
  }

  /** Calls the target's daemon. */
  async call<T>(procedure: string, run: () => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#broken();
    if (!this.target.daemonUp || this.silent) throw await this.#lost();
    const rule = this.#fabric.faults.ofCall(procedure, this.target.name);
    if (rule) await this.#before(rule);
    const result = await this.#run(run);
    if (this.silent) throw await this.#lost();
    if (this.#closed || rule?.effect?.type === 'dropReply') throw this.#broken();
    return result;
  }

  /** What a rule does before the call runs; rejects if it must not run. */
  async #before(rule: CallRule): Promise<void> {
    const { effect, delayMs } = rule;
    const { clock, strike } = this.#source.context;
    const { target } = this;
    if (effect === undefined || SPOILS_ANSWER.has(effect.type)) {
      if (delayMs !== undefined) await clock.sleep(delayMs, this.#source.daemonSignal());
      if (effect?.type === 'refuse') throw refuseWithCode(effect.libvirtCode, effect.message);
      if (effect?.type === 'hang') await clock.sleep(SILENCE_MS, this.#source.daemonSignal());
      if (effect?.type === 'hang' || effect?.type === 'dropRequest') throw this.#broken();
      return;
    }
    const happens = async (): Promise<void> => {
      if (effect.type === 'closeConnection') this.close();
      else await strike(target, rule);
    };
    if (delayMs !== undefined) clock.after(delayMs, () => void happens());
    else await happens();
    if (!target.daemonUp) throw await this.#lost();
  }

  /** A daemon that dies meanwhile answers nothing. */
  async #run<T>(run: () => Promise<T>): Promise<T> {
    const daemon = this.target.daemonSignal();
    try {
      return await run();
    } catch (error) {
      throw daemon.aborted ? await this.#lost() : error;
    }
  }

  /** The target would not answer, and nobody would say so. */
  get silent(): boolean {
    return !this.target.powered || this.#fabric.linkCut(this.#source, this.target);
  }

  /** Nothing comes any more: told at once by the target's machine, or noticed after a long silence. */
  async #lost(): Promise<Error> {
    if (this.silent) await this.#source.context.clock.sleep(SILENCE_MS, this.#source.daemonSignal());
    return this.#broken();
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
  const { incoming } = await peer.call('domainMigratePrepare3Params', async () => {
    const prepared = await prepare(fabric, target, { params, cookie: begun.cookie, flags: targetFlags });
    // Before the answer, which may be lost: the target's daemon knows who ordered it all the same.
    peer.owns(prepared.incoming);
    return prepared;
  });
  daemon.throwIfAborted();
  const end = (cancelled: boolean) =>
    peer.call('domainMigrateFinish3Params', () =>
      finish(target, incoming, { flags: targetFlags, cancelled }),
    );
  try {
    await perform(fabric, host, domain, incoming, request);
  } catch (error) {
    daemon.throwIfAborted();
    if (peer.silent) peer.close();
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
