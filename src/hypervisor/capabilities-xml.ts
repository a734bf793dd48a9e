/**
 * Host capabilities and hostdev network pools as facts. Pure. Source: libvirt docs/formatcaps.rst,
 * docs/formatnetwork.rst.
 */
import { HandoverError } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import { attr, child, children, textOf, writeXml } from '../libvirt/xml/index.ts';
import type { NetworkPool } from '../model/host.ts';
import { parseHostXml, pciAddressOf } from './xml-values.ts';
import { remembering } from './remember.ts';

/** What `virConnectGetCapabilities` says of the host itself. */
export interface HostCapabilities {
  readonly hostUuid: string;
  readonly arch: string;
  readonly cpuModel: string;
  readonly cpuVendor: string;
  /** `<cpu>` as a document of its own. */
  readonly cpuXml: string;
  /** NUMA node of each host CPU. */
  readonly nodeOfCpu: ReadonlyMap<number, number>;
}

/** Reads capabilities XML. Throws `PROTOCOL_VIOLATION` if it has no host. */
export const readCapabilities = remembering((xml): HostCapabilities => {
  const host = child(parseHostXml(xml, 'capabilities'), 'host');
  const cpu = child(host, 'cpu');
  if (!host) throw new HandoverError('PROTOCOL_VIOLATION', 'the capabilities a host sent have no <host>');
  const nodeOfCpu = new Map<number, number>();
  for (const cell of children(child(child(host, 'topology'), 'cells'), 'cell')) {
    for (const each of children(child(cell, 'cpus'), 'cpu')) {
      nodeOfCpu.set(Number(attr(each, 'id')), Number(attr(cell, 'id')));
    }
  }
  return {
    hostUuid: textOf(child(host, 'uuid')).toLowerCase(),
    arch: textOf(child(cpu, 'arch')),
    cpuModel: textOf(child(cpu, 'model')),
    cpuVendor: textOf(child(cpu, 'vendor')),
    cpuXml: cpu ? writeXml(cpu) : '',
    nodeOfCpu,
  };
});

/** Reads network XML; null for a network that is no pool of VFs. */
export function readNetworkPool(xml: string): NetworkPool | null {
  const root = parseHostXml(xml, 'network');
  const forward = child(root, 'forward');
  if (attr(forward, 'mode') !== 'hostdev') return null;
  const vfs = children(forward, 'address').flatMap((each): PciAddress[] => {
    const address = pciAddressOf(each);
    return address ? [address] : [];
  });
  return { name: textOf(child(root, 'name')), pf: attr(child(forward, 'pf'), 'dev') ?? null, vfs };
}
