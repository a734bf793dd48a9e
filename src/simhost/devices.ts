/**
 * A domain's devices meeting the host's: which VF an interface takes, which bridge must exist, what the live
 * XML then says. Used when a QEMU starts (boot or incoming migration), when a device is plugged and when it
 * is gone.
 */
import type { SimDomain } from './domain.ts';
import { ensureAlias, isHostdevInterface } from './domain-xml.ts';
import { describeDevice } from './guest-pci.ts';
import type { VfClaim } from './hardware.ts';
import type { SimHost } from './host.ts';
import { addressOf, guestAddressElement, nodeDeviceName } from './pci.ts';
import { refuse } from './refusal.ts';
import { attribute, children, cloneXml, element, find, remove, type XmlElement } from './xml.ts';

/** PCI address of the host device behind an interface or hostdev; null for any other device. */
export function hostDeviceOf(device: XmlElement): string | null {
  const isHostdev = device.name === 'hostdev' && attribute(device, 'type') === 'pci';
  if (!isHostdev && !isHostdevInterface(device)) return null;
  return addressOf(find(device, 'source', 'address')) ?? null;
}

/** How a device takes its VF. */
function claimOf(domain: SimDomain, device: XmlElement): VfClaim {
  return {
    domain: domain.name,
    managed: attribute(device, 'managed') === 'yes',
    mac: device.name === 'interface' ? (attribute(device, 'mac', 'address')?.toLowerCase() ?? null) : null,
    vlan: Number(attribute(device, 'vlan', 'tag', 'id') ?? '0'),
    driverModel: attribute(device, 'driver', 'model') ?? null,
  };
}

/**
 * Makes a device of the definition a live one in `live` (which holds it already): alias, tap, VF. Refuses
 * without having changed anything on the host.
 */
export function goLive(
  host: SimHost,
  domain: SimDomain,
  live: XmlElement,
  device: XmlElement,
): string | null {
  const original = cloneXml(device);
  const pooled = device.name === 'interface' && attribute(device, 'type') === 'network';
  if (pooled) takeFromPool(host, device);
  if (attribute(device, 'type') === 'bridge' && device.name === 'interface') checkBridge(host, device);
  const vf = hostDeviceOf(device);
  const claim = claimOf(domain, device);
  if (vf !== null) host.hardware.checkClaim(vf, claim);
  const alias = ensureAlias(live, device);
  if (vf !== null && alias !== null) {
    host.hardware.claim(vf, claim);
    domain.vfs.set(alias, vf);
    if (pooled) domain.pooled.set(alias, original);
    host.emit({ type: 'nodeDeviceUpdate', name: nodeDeviceName(vf) });
  }
  if (device.name === 'interface' && vf === null) giveTap(host, device);
  return alias;
}

function takeFromPool(host: SimHost, device: XmlElement): void {
  const name = attribute(device, 'source', 'network') ?? '';
  const pool = host.spec.pools.find((each) => each.name === name);
  if (!pool) throw refuse('no_network', `no network with matching name '${name}'`);
  const free = host.hardware.pf(pool.pf)?.vfs.find((vf) => !vf.holder);
  if (!free) {
    throw refuse(
      'internal',
      `network '${name}' requires exclusive access to interfaces, but none are available`,
    );
  }
  const source = find(device, 'source');
  if (source) remove(device, source);
  device.attributes.set('type', 'hostdev');
  device.attributes.set('managed', 'yes');
  device.nodes.splice(1, 0, element('source', {}, [guestAddressElement(free.pciAddress)]));
}

function checkBridge(host: SimHost, device: XmlElement): void {
  const bridge = attribute(device, 'source', 'bridge') ?? '';
  if (!host.hardware.bridges.has(bridge)) {
    throw refuse('system', `Cannot get interface MTU on '${bridge}': No such device`);
  }
}

function giveTap(host: SimHost, device: XmlElement): void {
  const target = find(device, 'target');
  if (target && !attribute(target, 'dev')?.startsWith('vnet')) return;
  if (target) remove(device, target);
  const source = find(device, 'source');
  const at = source ? device.nodes.indexOf(source) + 1 : 0;
  device.nodes.splice(at, 0, element('target', { dev: host.nextTap() }));
}

/** All devices of a domain that starts. If one cannot, those before it are given back. */
export function goLiveAll(host: SimHost, domain: SimDomain, live: XmlElement): void {
  try {
    for (const device of children(find(live, 'devices'))) goLive(host, domain, live, device);
  } catch (error) {
    releaseAll(host, domain);
    throw error;
  }
}

/** Gives every VF of a domain back to the host. */
export function releaseAll(host: SimHost, domain: SimDomain): void {
  for (const vf of domain.vfs.values()) {
    host.hardware.release(vf);
    host.emit({ type: 'nodeDeviceUpdate', name: nodeDeviceName(vf) });
  }
  domain.vfs.clear();
  domain.pooled.clear();
}

/** Takes a device out of a live domain and gives its VF back. */
export function dropLive(host: SimHost, domain: SimDomain, device: XmlElement): void {
  const devices = find(domain.running, 'devices');
  if (!devices || !remove(devices, device)) {
    throw refuse('device_missing', `device not found: ${describeDevice(device)}`);
  }
  const alias = attribute(device, 'alias', 'name') ?? '';
  const vf = domain.vfs.get(alias);
  if (vf !== undefined) {
    host.hardware.release(vf);
    domain.vfs.delete(alias);
    domain.pooled.delete(alias);
    host.emit({ type: 'nodeDeviceUpdate', name: nodeDeviceName(vf) });
  }
  domain.guest?.unplugged(alias);
}

/** Tells the guest of an interface. */
export function showToGuest(domain: SimDomain, device: XmlElement, upNow: boolean): void {
  if (device.name !== 'interface') return;
  const pciAddress = addressOf(find(device, 'address'));
  domain.guest?.plug(
    {
      alias: attribute(device, 'alias', 'name') ?? '',
      name: guestName(pciAddress),
      pciAddress: pciAddress ?? '',
      mac: attribute(device, 'mac', 'address')?.toLowerCase() ?? '',
      passthrough: isHostdevInterface(device),
    },
    upNow,
  );
}

/** The name udev gives: `ens8` on bus 0, `enp3s0` behind a root port. */
function guestName(address: string | undefined): string {
  if (address === undefined) return 'eth0';
  const bus = parseInt(address.slice(5, 7), 16);
  const slot = parseInt(address.slice(8, 10), 16);
  return bus === 0 ? `ens${slot}` : `enp${bus}s${slot}`;
}
