/**
 * Plugging and unplugging while the guest runs, as libvirt answers it: success of a detach is not removal, an
 * alias or a VF that still leaves cannot be taken again, and the definition changes only if asked.
 */
import { AFFECT, DOMAIN_STATE } from '../libvirt/procedures/flags.ts';
import { dropLive, goLive, hostDeviceOf, showToGuest } from './devices.ts';
import type { SimDomain } from './domain.ts';
import { completeInterface, nonUniqueAlias } from './domain-xml.ts';
import { describeDevice, ensureGuestAddress } from './guest-pci.ts';
import type { SimHost } from './host.ts';
import { refuse } from './refusal.ts';
import { DETACH_WAIT_MS, TIMINGS } from './timings.ts';
import { append, attribute, children, cloneXml, find, parseXml, remove, type XmlElement } from './xml.ts';

/** Which of live and definition a call changes. */
export function affected(domain: SimDomain, flags: number): { live: boolean; config: boolean } {
  const current = (flags & (AFFECT.live | AFFECT.config)) === AFFECT.current;
  const live = current ? domain.active : (flags & AFFECT.live) !== 0;
  const config = current ? !domain.active : (flags & AFFECT.config) !== 0;
  if (live && !domain.active) throw refuse('operation_invalid', 'domain is not running');
  if (config && !domain.config)
    throw refuse('operation_invalid', 'transient domains do not have any persistent config');
  return { live, config };
}

/** virDomainAttachDeviceFlags. */
export async function attachDevice(
  host: SimHost,
  domain: SimDomain,
  xml: string,
  flags: number,
): Promise<void> {
  await domain.lock.change(async () => {
    const device = parseXml(xml);
    if (device.name === 'interface') completeInterface(device, host.context.random);
    const affects = affected(domain, flags);
    // The definition last: libvirt changes a copy and keeps it only if the live part went well.
    const config = affects.config ? definitionWith(domain, device) : domain.config;
    if (affects.live) await attachLive(host, domain, cloneXml(device));
    domain.config = config;
  });
}

function definitionWith(domain: SimDomain, device: XmlElement): XmlElement | null {
  if (!domain.config) return null;
  const changed = cloneXml(domain.config);
  const devices = find(changed, 'devices');
  const alias = attribute(device, 'alias', 'name');
  if (
    alias?.startsWith('ua-') &&
    children(devices).some((each) => attribute(each, 'alias', 'name') === alias)
  ) {
    throw nonUniqueAlias(alias);
  }
  const added = cloneXml(device);
  if (devices) append(devices, added);
  ensureGuestAddress(changed, added, false);
  return changed;
}

async function attachLive(host: SimHost, domain: SimDomain, device: XmlElement): Promise<void> {
  const live = domain.running;
  const devices = find(live, 'devices');
  if (!devices) throw refuse('internal', 'domain has no devices');
  append(devices, device);
  let alias: string | null;
  try {
    ensureGuestAddress(live, device, true);
    alias = goLive(host, domain, live, device);
  } catch (error) {
    remove(devices, device);
    throw error;
  }
  try {
    await host.daemonPause(TIMINGS.deviceAdd);
  } catch (error) {
    if (domain.live === live && devices.nodes.includes(device)) dropLive(host, domain, device);
    throw error;
  }
  if (domain.live !== live) throw refuse('operation_failed', 'domain is no longer running');
  showToGuest(domain, device, false);
  if (alias !== null) host.emit({ type: 'deviceAdded', dom: domain.ref, alias });
}

/** virDomainDetachDeviceAlias: asks the guest and returns. */
export async function detachAlias(
  host: SimHost,
  domain: SimDomain,
  alias: string,
  flags: number,
): Promise<void> {
  await domain.lock.change(async () => {
    const affects = affected(domain, flags);
    if (affects.config && domain.config) {
      const device = byAlias(domain.config, alias);
      if (!device) throw missingAlias(alias);
      dropFromConfig(domain, device);
    }
    if (!affects.live) return;
    if (!domain.device(alias)) throw missingAlias(alias);
    await host.daemonPause(TIMINGS.deviceDel);
    askGuest(host, domain, alias);
  });
}

const missingAlias = (alias: string): Error =>
  refuse('device_missing', `no device found with alias ${alias}`);

/**
 * virDomainDetachDeviceFlags: the same, and waits a while for the removal. Returns OK whether or not it came.
 */
export async function detachDevice(
  host: SimHost,
  domain: SimDomain,
  xml: string,
  flags: number,
): Promise<void> {
  await domain.lock.change(async () => {
    const wanted = parseXml(xml);
    const affects = affected(domain, flags);
    const inConfig = affects.config ? matching(domain.config, wanted) : undefined;
    if (affects.config && !inConfig) throw noSuchDevice(wanted);
    if (affects.live) {
      const device = matching(domain.live, wanted);
      if (!device) throw noSuchDevice(wanted);
      await askAndWait(host, domain, attribute(device, 'alias', 'name') ?? '');
    }
    if (inConfig) dropFromConfig(domain, inConfig);
  });
}

function noSuchDevice(wanted: XmlElement): Error {
  const kind = wanted.name === 'interface' ? 'matching network device' : 'device';
  return refuse('device_missing', `no ${kind} was found: ${describeDevice(wanted)}`);
}

async function askAndWait(host: SimHost, domain: SimDomain, alias: string): Promise<void> {
  await host.daemonPause(TIMINGS.deviceDel);
  const answered = new Promise<void>((resolve) => {
    const stop = host.listen((event) => {
      const about =
        'dom' in event && event.dom.uuid === domain.uuid && 'alias' in event && event.alias === alias;
      if (about && event.type !== 'deviceAdded') done();
    });
    const cancel = host.context.clock.after(DETACH_WAIT_MS, () => done());
    const done = (): void => {
      stop();
      cancel();
      resolve();
    };
  });
  askGuest(host, domain, alias);
  await answered;
}

/** A guest that does not run answers when it runs again. */
function askGuest(host: SimHost, domain: SimDomain, alias: string): void {
  if (!domain.guest) throw refuse('operation_invalid', 'domain is not running');
  host.context.log.debug('unplug asked', { host: host.name, domain: domain.name, alias });
  domain.guest.askUnplug(alias);
}

/** virDomainUpdateDeviceFlags, for what can change of an interface: its link state. */
export async function updateDevice(
  host: SimHost,
  domain: SimDomain,
  xml: string,
  flags: number,
): Promise<void> {
  await domain.lock.change(async () => {
    const wanted = parseXml(xml);
    const affects = affected(domain, flags);
    await host.daemonPause([2, 8]);
    for (const definition of [affects.live ? domain.live : null, affects.config ? domain.config : null]) {
      if (!definition) continue;
      const device = matching(definition, wanted);
      if (!device) throw noSuchDevice(wanted);
      const link = find(device, 'link');
      if (link) remove(device, link);
      const wantedLink = find(wanted, 'link');
      if (wantedLink) append(device, cloneXml(wantedLink));
    }
  });
}

function dropFromConfig(domain: SimDomain, device: XmlElement): void {
  const devices = find(domain.config ?? undefined, 'devices');
  if (devices) remove(devices, device);
}

function byAlias(definition: XmlElement, alias: string): XmlElement | undefined {
  return children(find(definition, 'devices')).find((each) => attribute(each, 'alias', 'name') === alias);
}

/**
 * The device a client means: by alias, else by MAC (interfaces), host address (hostdevs) or target (disks).
 */
function matching(definition: XmlElement | null, wanted: XmlElement): XmlElement | undefined {
  const alias = attribute(wanted, 'alias', 'name');
  const key = (device: XmlElement): string | undefined => {
    if (device.name === 'interface') return attribute(device, 'mac', 'address')?.toLowerCase();
    if (device.name === 'hostdev') return hostDeviceOf(device) ?? undefined;
    return attribute(device, 'target', 'dev') ?? attribute(device, 'alias', 'name');
  };
  const candidates = children(find(definition ?? undefined, 'devices'), wanted.name);
  const same = candidates.filter((each) => key(each) !== undefined && key(each) === key(wanted));
  return same.find((each) => alias === undefined || attribute(each, 'alias', 'name') === alias) ?? same[0];
}

/** True while QEMU exists and its vCPUs run. */
export const isRunning = (domain: SimDomain): boolean => domain.state === DOMAIN_STATE.running;
