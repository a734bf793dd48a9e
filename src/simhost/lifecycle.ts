/**
 * Domains from definition to death: define, start, destroy, pause and so on, as the calls of the same names
 * do them.
 */
import { CREATE, DOMAIN_STATE, SHUTOFF_REASON } from '../libvirt/procedures/flags.ts';
import { dropLive, goLiveAll, releaseAll, showToGuest } from './devices.ts';
import type { SimDomain } from './domain.ts';
import { completeDefinition } from './domain-xml.ts';
import { SimGuest } from './guest.ts';
import type { SimHost } from './host.ts';
import { refuse } from './refusal.ts';
import { drawMs, TIMINGS } from './timings.ts';
import { attribute, children, cloneXml, find, parseXml, textOf, type XmlElement } from './xml.ts';

/** Parses a definition and finds or makes its domain. */
function parseDefinition(host: SimHost, xml: string): { domain: SimDomain; definition: XmlElement } {
  const definition = completeDefinition(parseXml(xml), host.context.random);
  const domain = host.adopt(
    (textOf(definition, 'uuid') ?? '').toLowerCase(),
    textOf(definition, 'name') ?? '',
  );
  return { domain, definition };
}

/** Defines or redefines; a running domain keeps running as it is. */
export function defineDomain(host: SimHost, xml: string): SimDomain {
  const { domain, definition } = parseDefinition(host, xml);
  const known = domain.config !== null;
  domain.config = definition;
  host.emitLifecycle(domain, known ? 'redefined' : 'defined');
  return domain;
}

/** Removes the definition and with it autostart; a running domain becomes transient. */
export function undefineDomain(host: SimHost, domain: SimDomain): void {
  if (!domain.config) throw refuse('operation_invalid', 'cannot undefine transient domain');
  domain.config = null;
  domain.autostart = false;
  host.emitLifecycle(domain, 'undefined');
  if (!domain.active) host.domains.delete(domain.uuid);
}

/** Starts a defined domain. */
export async function startDomain(host: SimHost, domain: SimDomain, flags: number): Promise<void> {
  await domain.lock.change(async () => {
    if (domain.active) throw refuse('operation_invalid', 'domain is already running');
    await boot(host, domain, domain.current, flags);
  });
}

/** Creates a transient domain, or starts the definition of the same UUID with this XML. */
export async function createDomain(host: SimHost, xml: string, flags: number): Promise<SimDomain> {
  const { domain, definition } = parseDefinition(host, xml);
  if (domain.active) throw refuse('operation_invalid', `domain is already active as '${domain.name}'`);
  try {
    await domain.lock.change(() => boot(host, domain, definition, flags));
  } catch (error) {
    if (!domain.config) host.domains.delete(domain.uuid);
    throw error;
  }
  return domain;
}

async function boot(host: SimHost, domain: SimDomain, xml: XmlElement, flags: number): Promise<void> {
  startQemu(host, domain, xml);
  await host.daemonPause(TIMINGS.start);
  // The domain may have been destroyed while its QEMU came up.
  if (!domain.live) throw refuse('operation_failed', 'domain is no longer running');
  powerOn(host, domain, (flags & CREATE.paused) !== 0);
}

/** The moment a new guest's vCPUs may run; synchronous, for the fleet's first state. */
export function powerOn(host: SimHost, domain: SimDomain, paused: boolean): void {
  const { clock, random } = host.context;
  const guest = new SimGuest(host.context.guestSpec(domain.uuid), clock, random);
  giveGuest(host, domain, guest);
  for (const device of children(find(domain.running, 'devices'), 'interface'))
    showToGuest(domain, device, true);
  if (paused) domain.setPaused('user');
  else {
    domain.setRunning('booted');
    guest.run('boot');
    // QEMU's own event is handled before libvirt's call has ended.
    host.emitLifecycle(domain, 'resumed');
  }
  host.emitLifecycle(domain, 'started');
  if (paused) host.emitLifecycle(domain, 'suspended');
}

/** Starts a QEMU without a guest in it: checks memory, takes VFs and taps. Refuses with nothing taken. */
export function startQemu(host: SimHost, domain: SimDomain, xml: XmlElement): void {
  const needKiB = Number(textOf(xml, 'memory'));
  if (needKiB > host.memoryFreeKiB()) {
    throw refuse(
      'internal',
      'process exited while connecting to monitor: qemu-system-x86_64: ' +
        "cannot set up guest memory 'pc.ram': Cannot allocate memory",
    );
  }
  const live = cloneXml(xml);
  goLiveAll(host, domain, live);
  domain.live = live;
  domain.id = host.nextDomainId();
  domain.setPaused('startingUp');
  domain.completedJob = null;
}

/** Puts a guest (new, or arriving by migration) into a domain. */
export function giveGuest(host: SimHost, domain: SimDomain, guest: SimGuest): void {
  domain.guest = guest;
  guest.attachTo({
    removed: (alias) => host.tellDaemon(() => deviceGone(host, domain, alias)),
    refused: (alias) =>
      host.tellDaemon(() => host.emit({ type: 'deviceRemovalFailed', dom: domain.ref, alias })),
    agentConnected: (connected) => agentChanged(host, domain, connected),
    hasCarrier: (alias) => hasCarrier(host, domain.vfs.get(alias)),
  });
}

/** A VF's link follows its PF's unless the PF was told otherwise; bridges always pass. */
function hasCarrier(host: SimHost, pciAddress: string | undefined): boolean {
  const vf = pciAddress === undefined ? undefined : host.hardware.vf(pciAddress);
  return !vf || vf.linkState === 'enable' || (vf.linkState === 'auto' && vf.pf.carrier);
}

function deviceGone(host: SimHost, domain: SimDomain, alias: string): void {
  const device = domain.device(alias);
  if (!device) return;
  dropLive(host, domain, device);
  host.emit({ type: 'deviceRemoved', dom: domain.ref, alias });
}

function agentChanged(host: SimHost, domain: SimDomain, connected: boolean): void {
  const channel = agentChannel(domain);
  if (!channel) return;
  find(channel, 'target')?.attributes.set('state', connected ? 'connected' : 'disconnected');
  // Reason 2: the guest opened or closed the channel.
  host.emit({ type: 'agentLifecycle', dom: domain.ref, state: connected ? 1 : 2, reason: 2 });
}

/** The guest agent's channel of a running domain. */
export function agentChannel(domain: SimDomain): XmlElement | undefined {
  const channels = children(find(domain.live ?? undefined, 'devices'), 'channel');
  return channels.find((each) => attribute(each, 'target', 'name') === 'org.qemu.guest_agent.0');
}

/** Ends a QEMU, whatever it did. A transient domain is then unknown to the host. */
export function stopQemu(host: SimHost, domain: SimDomain, reason: keyof typeof SHUTOFF_REASON): void {
  domain.transfer?.sourceGone();
  domain.transfer = null;
  domain.guest?.powerOff();
  dropQemu(host, domain, reason);
}

/** The same without touching the guest, which runs on elsewhere. */
export function dropQemu(host: SimHost, domain: SimDomain, reason: keyof typeof SHUTOFF_REASON): void {
  domain.guest = null;
  domain.incoming?.end();
  releaseAll(host, domain);
  domain.live = null;
  domain.id = -1;
  domain.state = DOMAIN_STATE.shutoff;
  domain.reason = SHUTOFF_REASON[reason];
  domain.lock.endAsync();
  if (!domain.config) host.domains.delete(domain.uuid);
}

/** virDomainDestroy: also during a migration. */
export async function destroyDomain(host: SimHost, domain: SimDomain): Promise<void> {
  if (!domain.active) throw refuse('operation_invalid', 'domain is not running');
  await host.daemonPause([10, 40]);
  if (!domain.active) return;
  const { ref } = domain;
  stopQemu(host, domain, 'destroyed');
  host.emit({ type: 'lifecycle', dom: { ...ref, id: -1 }, event: 5, detail: 1 });
}

/** virDomainShutdown: asks the guest, which takes its time. */
export function shutdownDomain(host: SimHost, domain: SimDomain): void {
  domain.running;
  const { guest } = domain;
  host.context.clock.after(drawMs(host.context.random, TIMINGS.shutdown), () => {
    if (!guest?.running || domain.guest !== guest) return;
    host.tellDaemon(() => {
      host.emitLifecycle(domain, 'shutdownGuest');
      stopQemu(host, domain, 'shutdown');
      host.emitLifecycle(domain, 'stoppedShutdown');
    });
  });
}

/** The guest restarts by itself or is told to by somebody in it. Nothing if it does not run. */
export function rebootGuest(host: SimHost, domain: SimDomain): void {
  if (!domain.guest?.running) return;
  domain.guest.reboot();
  host.tellDaemon(() => host.emit({ type: 'reboot', dom: domain.ref }));
}

/** virDomainReboot: asks the guest, which takes its time. */
export function askReboot(host: SimHost, domain: SimDomain): void {
  domain.running;
  const { guest } = domain;
  host.context.clock.after(drawMs(host.context.random, TIMINGS.shutdown), () => {
    if (domain.guest === guest) rebootGuest(host, domain);
  });
}

/** The guest panics; it has a panic device, and its definition says `destroy`, as it does by itself. */
export function crashGuest(host: SimHost, domain: SimDomain): void {
  if (!domain.guest?.running) return;
  domain.guest.pause();
  host.tellDaemon(() => {
    host.emitLifecycle(domain, 'crashed');
    stopQemu(host, domain, 'crashed');
    host.emitLifecycle(domain, 'stoppedCrashed');
  });
}

/** virDomainSuspend. */
export async function suspendDomain(host: SimHost, domain: SimDomain): Promise<void> {
  domain.running;
  if (domain.state === DOMAIN_STATE.paused) return;
  await host.daemonPause([2, 8]);
  domain.guest?.pause();
  domain.setPaused('user');
  host.emitLifecycle(domain, 'suspended');
}

/** virDomainResume; waits for a migration to end, as any change does. */
export async function resumeDomain(host: SimHost, domain: SimDomain): Promise<void> {
  await domain.lock.change(async () => {
    domain.running;
    if (domain.state === DOMAIN_STATE.running) throw refuse('operation_invalid', 'domain is already running');
    await host.daemonPause([2, 8]);
    domain.guest?.run('pause');
    domain.setRunning('unpaused');
    host.emitLifecycle(domain, 'resumed');
  });
}

/** virDomainSetAutostart. */
export function setAutostart(domain: SimDomain, autostart: boolean): void {
  if (!domain.config) throw refuse('operation_invalid', 'cannot set autostart for transient domain');
  domain.autostart = autostart;
}
