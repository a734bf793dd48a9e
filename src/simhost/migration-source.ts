/**
 * A migration seen from the source: the checks, the transfer, and what becomes of the domain here afterwards
 * (phases begin, perform and confirm). The same phases serve a migration driven by a client and one driven by
 * the source's daemon.
 */
import { MIGRATE, MIGRATE_PARAM } from '../libvirt/procedures/flags.ts';
import { paramNumber, paramText, type TypedParam } from '../libvirt/procedures/typed-params.ts';
import { hostDeviceOf } from './devices.ts';
import type { SimDomain } from './domain.ts';
import { migratableLive } from './domain-xml.ts';
import type { SimFabric } from './fabric.ts';
import type { SimHost } from './host.ts';
import { dropQemu, giveGuest } from './lifecycle.ts';
import { cookieFor } from './migration-cookie.ts';
import type { Incoming } from './migration-target.ts';
import { refuse } from './refusal.ts';
import { DOMAIN_STATE } from '../libvirt/procedures/flags.ts';
import { TIMINGS } from './timings.ts';
import { OutgoingTransfer } from './transfer.ts';
import { children, element, find, formatXml, type XmlElement } from './xml.ts';

/** Typed parameters and flags as the client gave them. */
export interface MigrateRequest {
  readonly params: readonly TypedParam[];
  readonly flags: number;
}

/** What libvirt and QEMU have against moving the domain now; empty = nothing. */
export function migrationBlockers(host: SimHost, domain: SimDomain): string[] {
  const blockers: string[] = [];
  for (const device of children(find(domain.running, 'devices'))) {
    const address = hostDeviceOf(device);
    if (address === null) continue;
    const vf = host.hardware.vf(address);
    if (!vf?.pf.spec.vfMigratable) blockers.push(`${address}: VFIO migration is not supported in kernel`);
  }
  return blockers;
}

/** Phase begin: checks, and with `changeProtection` begins the job that keeps everybody else away. */
export async function begin(
  host: SimHost,
  domain: SimDomain,
  request: MigrateRequest,
): Promise<{ cookie: Uint8Array; xml: string }> {
  const { flags, params } = request;
  if (flags & MIGRATE.offline) throw refuse('no_support', 'offline migration is not simulated');
  const live = domain.running;
  const held = (flags & MIGRATE.changeProtection) !== 0;
  if (held) {
    await domain.lock.beginAsync('migration out');
    domain.abortAsked = false;
  }
  try {
    await host.daemonPause(TIMINGS.begin);
    if (domain.live !== live) throw refuse('operation_invalid', 'domain is not running');
    const blockers = migrationBlockers(host, domain);
    if (blockers.length > 0) {
      throw refuse('operation_invalid', `cannot migrate domain: ${blockers.join('; ')}`);
    }
    const persistent = (flags & MIGRATE.persistDest) !== 0 ? (domain.config ?? live) : null;
    const wanted = paramText(params, MIGRATE_PARAM.destinationXml);
    const xml = wanted ?? formatXml(migratableXml(domain));
    return { cookie: cookieFor(host, domain, persistent), xml };
  } catch (error) {
    if (held) domain.lock.endAsync();
    throw error;
  }
}

/** Live XML as the target needs it: no aliases of ours, pools instead of the VFs taken from them. */
export function migratableXml(domain: SimDomain): XmlElement {
  const xml = migratableLive(domain.running);
  const devices = find(xml, 'devices') ?? element('devices');
  const liveDevices = children(find(domain.running, 'devices'));
  children(devices).forEach((device, index) => {
    const live = liveDevices[index];
    const alias = live && find(live, 'alias')?.attributes.get('name');
    const pooled = alias === undefined ? undefined : domain.pooled.get(alias);
    if (pooled) devices.nodes.splice(devices.nodes.indexOf(device), 1, pooled);
  });
  return xml;
}

/** Phase perform: sends memory to a waiting QEMU; the guest then stands still on both sides. */
export async function perform(
  fabric: SimFabric,
  host: SimHost,
  domain: SimDomain,
  incoming: Incoming,
  request: MigrateRequest,
): Promise<OutgoingTransfer> {
  const pausedByUser = domain.state === DOMAIN_STATE.paused;
  const transfer = new OutgoingTransfer(host, domain, {
    bandwidthMiBps: paramNumber(request.params, MIGRATE_PARAM.bandwidth) ?? null,
    autoConverge: (request.flags & MIGRATE.autoConverge) !== 0,
    emitIteration: true,
    isStalled: () => !incoming.host.powered || fabric.linkCut(host, incoming.host),
  });
  if (fabric.linkCut(host, incoming.host)) throw refuse('system', 'unable to connect: No route to host');
  domain.running;
  if (domain.abortAsked) throw refuse('aborted', 'migration out job: canceled by client');
  domain.transfer = transfer;
  incoming.onEnd(() => transfer.targetGone());
  try {
    await transfer.run();
  } catch (error) {
    domain.transfer = null;
    domain.completedJob = null;
    await host.daemonPause(TIMINGS.abort);
    throw error;
  }
  const { guest } = domain;
  const leaveCopy = (): void => {
    if (guest && domain.guest === guest) giveGuest(host, domain, guest.fork());
  };
  incoming.arrival = { guest, transfer, pausedByUser, leaveCopy };
  return transfer;
}

/** Phase confirm: the guest left, or (cancelled) stays and goes on. Ends the job. */
export async function confirm(
  host: SimHost,
  domain: SimDomain,
  request: { readonly flags: number; readonly cancelled: boolean },
): Promise<void> {
  const { transfer } = domain;
  if (request.cancelled) {
    domain.transfer = null;
    transfer?.resumeHere('migrationCancelled');
    domain.lock.endAsync();
    return;
  }
  host.context.moment(host, 'sourceEnds');
  await host.daemonPause(TIMINGS.confirm);
  if (!domain.active) return;
  if (transfer) host.emit({ type: 'jobCompleted', dom: domain.ref, params: transfer.stats() });
  domain.transfer = null;
  if (request.flags & MIGRATE.undefineSource) {
    domain.config = null;
    domain.autostart = false;
  }
  const { ref } = domain;
  dropQemu(host, domain, 'migrated');
  domain.completedJob = transfer?.stats() ?? null;
  host.emit({ type: 'lifecycle', dom: { ...ref, id: -1 }, event: 5, detail: 3 });
  if (request.flags & MIGRATE.undefineSource) host.emitLifecycle(domain, 'undefined');
}
