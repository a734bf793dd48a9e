/**
 * A migration seen from the target: the paused QEMU that waits for the guest, and its resumption (phases
 * prepare and finish). Until the guest runs here, the QEMU is ended as soon as the connection that ordered it
 * is gone.
 */
import { MIGRATE, MIGRATE_PARAM, JOB_OPERATION } from '../libvirt/procedures/flags.ts';
import { param, paramText, type TypedParam } from '../libvirt/procedures/typed-params.ts';
import { showToGuest } from './devices.ts';
import type { SimDomain } from './domain.ts';
import { completeDefinition, isHostdevInterface } from './domain-xml.ts';
import type { SimFabric } from './fabric.ts';
import type { SimGuest } from './guest.ts';
import type { SimHost } from './host.ts';
import { dropQemu, giveGuest, startQemu } from './lifecycle.ts';
import { cookieFor, readCookie } from './migration-cookie.ts';
import { refuse } from './refusal.ts';
import { SILENCE_MS, TIMINGS } from './timings.ts';
import type { OutgoingTransfer } from './transfer.ts';
import { attribute, children, find, parseXml, textOf } from './xml.ts';

/** What the source's QEMU hands over. */
export interface Arrival {
  readonly guest: SimGuest | null;
  readonly transfer: OutgoingTransfer;
  readonly pausedByUser: boolean;
  /** The guest begins to live on the target: the source's QEMU keeps a copy that stands still. */
  leaveCopy(): void;
}

/** One waiting QEMU. */
export class Incoming {
  readonly host: SimHost;
  readonly domain: SimDomain;
  readonly persistentXml: string | null;
  sourceHost: string | null = null;
  arrival: Arrival | null = null;
  #onEnd: (() => void) | null = null;
  #unhook: () => void = () => {};
  #ended = false;
  #resumed = false;
  readonly #fabric: SimFabric;

  constructor(fabric: SimFabric, host: SimHost, domain: SimDomain, persistentXml: string | null) {
    this.#fabric = fabric;
    this.host = host;
    this.domain = domain;
    this.persistentXml = persistentXml;
  }

  /** The sending QEMU wants to know when this one ends early. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The connection that ordered it broke before the guest ran: libvirtd ends the QEMU (autodestroy). */
  connectionLost(): void {
    if (this.#ended) return;
    this.end();
    if (this.#resumed) return;
    if (this.domain.active) dropQemu(this.host, this.domain, 'failed');
    this.host.emitLifecycle(this.domain, 'stoppedFailed');
  }

  /** Nothing comes from the source any more: libvirtd ends the QEMU if that is still so after a while. */
  sourceSilent(isStill: () => boolean): void {
    this.host.context.clock.after(SILENCE_MS, () => {
      if (isStill() && this.host.powered) this.host.tellDaemon(() => this.connectionLost());
    });
  }

  /** A daemon that comes back ends what waited in vain. */
  belongsTo(daemon: AbortSignal): void {
    const lost = () => this.host.tellDaemon(() => this.connectionLost());
    daemon.addEventListener('abort', lost, { once: true });
    this.#unhook = () => daemon.removeEventListener('abort', lost);
  }

  /** From here on the guest is here, whatever happens to those who ordered it. */
  resumed(): void {
    this.#resumed = true;
  }

  /** It waits no more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unhook();
    this.#fabric.unlisten(this);
    if (this.domain.incoming === this) this.domain.incoming = null;
    this.domain.lock.endAsync();
    if (this.arrival) return;
    if (this.host.powered) this.#onEnd?.();
    else this.host.context.clock.after(SILENCE_MS, () => this.#onEnd?.());
  }
}

/** What the source (or a client between) sends to prepare. */
export interface PrepareRequest {
  readonly params: readonly TypedParam[];
  readonly cookie: Uint8Array;
  readonly flags: number;
}

/** Phase prepare: starts the QEMU that will take the guest. Refuses with nothing left behind. */
export async function prepare(
  fabric: SimFabric,
  host: SimHost,
  request: PrepareRequest,
): Promise<{ incoming: Incoming; uri: string; cookie: Uint8Array }> {
  const cookie = readCookie(request.cookie);
  if (cookie.hostUuid === host.spec.uuid || cookie.hostname === host.name) {
    throw refuse('internal', `Attempt to migrate guest to the same host ${cookie.hostUuid}`);
  }
  const xml = paramText(request.params, MIGRATE_PARAM.destinationXml);
  if (xml === undefined) throw refuse('internal', 'no domain XML passed');
  const definition = completeDefinition(parseXml(xml), host.context.random);
  const name = paramText(request.params, MIGRATE_PARAM.destinationName) ?? textOf(definition, 'name') ?? '';
  const domain = host.adopt((textOf(definition, 'uuid') ?? '').toLowerCase(), name);
  if (domain.active) throw refuse('operation_invalid', `domain is already active as '${name}'`);
  const persistent = paramText(request.params, MIGRATE_PARAM.persistentXml) ?? cookie.persistentXml;
  const incoming = new Incoming(fabric, host, domain, persistent ?? null);
  incoming.sourceHost = cookie.hostname;
  try {
    await domain.lock.beginAsync('migration in');
    domain.incoming = incoming;
    startQemu(host, domain, definition);
    const uri = `tcp:${listenAddress(host, request.params)}:${fabric.listen(incoming)}`;
    await host.daemonPause(TIMINGS.prepare);
    if (!domain.active) throw refuse('operation_failed', 'domain is no longer running');
    domain.setPaused('migration');
    host.emitLifecycle(domain, 'startedMigrated');
    incoming.belongsTo(host.daemonSignal());
    return { incoming, uri, cookie: cookieFor(host, domain, null) };
  } catch (error) {
    incoming.end();
    if (domain.active) dropQemu(host, domain, 'failed');
    else if (!domain.config) host.domains.delete(domain.uuid);
    throw error;
  }
}

function listenAddress(host: SimHost, params: readonly TypedParam[]): string {
  const wanted = paramText(params, MIGRATE_PARAM.uri);
  const match = wanted === undefined ? null : /^tcp:(?:\/\/)?([^:/]+)/.exec(wanted);
  if (wanted !== undefined && !match)
    throw refuse('invalid_argument', `unable to parse migration URI: ${wanted}`);
  return match?.[1] ?? host.name;
}

/** Phase finish: the guest runs here (or the QEMU is ended). Returns when libvirtd would answer. */
export async function finish(
  host: SimHost,
  incoming: Incoming,
  request: { readonly flags: number; readonly cancelled: boolean },
): Promise<Uint8Array> {
  const { domain } = incoming;
  if (incoming.ended || !domain.active) throw refuse('operation_failed', 'domain is no longer running');
  const { arrival } = incoming;
  if (request.cancelled || !arrival) {
    incoming.end();
    dropQemu(host, domain, 'failed');
    host.emitLifecycle(domain, 'stoppedFailed');
    if (request.cancelled) return cookieFor(host, domain, null);
    throw refuse('operation_failed', 'migration was not completed');
  }
  await host.daemonPause(TIMINGS.finish);
  if (incoming.ended || !domain.active) throw refuse('operation_failed', 'domain is no longer running');
  if (request.flags & MIGRATE.persistDest) persist(host, incoming);
  incoming.resumed();
  resumeHere(host, domain, arrival, (request.flags & MIGRATE.paused) !== 0);
  try {
    await host.daemonPause(TIMINGS.finishTail);
  } finally {
    incoming.end();
  }
  // A guest that died meanwhile did arrive: libvirt says success all the same.
  return cookieFor(host, domain, null);
}

function persist(host: SimHost, incoming: Incoming): void {
  const { domain, persistentXml } = incoming;
  const known = domain.config !== null;
  const definition = persistentXml === null ? domain.running : parseXml(persistentXml);
  domain.config = completeDefinition(definition, host.context.random);
  host.emitLifecycle(domain, known ? 'redefined' : 'defined');
}

function resumeHere(host: SimHost, domain: SimDomain, arrival: Arrival, stayPaused: boolean): void {
  const { guest, transfer } = arrival;
  transfer.guestResumed();
  if (guest) {
    arrival.leaveCopy();
    giveGuest(host, domain, guest);
    const interfaces = children(find(domain.running, 'devices'), 'interface');
    guest.rename(
      interfaces.map((device) => ({
        mac: attribute(device, 'mac', 'address')?.toLowerCase() ?? '',
        alias: attribute(device, 'alias', 'name') ?? '',
        passthrough: isHostdevInterface(device),
      })),
    );
    for (const device of interfaces) {
      const alias = attribute(device, 'alias', 'name');
      if (!guest.nics.some((nic) => nic.alias === alias)) showToGuest(domain, device, false);
    }
  }
  const elapsed = param.ullong('time_elapsed', BigInt(Math.round(transfer.elapsedMs)));
  domain.completedJob = [
    param.int('operation', JOB_OPERATION.migrationIn),
    ...transfer.stats().filter(({ field }) => field !== 'operation' && field !== 'time_elapsed'),
    elapsed,
  ];
  if (stayPaused || arrival.pausedByUser) {
    domain.setPaused('user');
    host.emitLifecycle(domain, 'suspended');
    return;
  }
  domain.setRunning('migrated');
  host.emitLifecycle(domain, 'resumedMigrated');
  guest?.run('pause');
  host.context.moment(host, 'guestResumed');
}
