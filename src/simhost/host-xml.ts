/**
 * Documents a simulated libvirt gives about the host itself: capabilities, domain capabilities, networks, CPU
 * comparison.
 */
import { CPU_COMPARE } from '../libvirt/procedures/flags.ts';
import type { SimHost } from './host.ts';
import type { SimPoolSpec } from './inventory.ts';
import { hostAddressElement } from './pci.ts';
import { refuse } from './refusal.ts';
import { attribute, children, element, find, formatXml, parseXml, textOf, type XmlElement } from './xml.ts';

const MACHINES = ['pc-i440fx-10.0', 'pc-q35-10.0'] as const;

function cpuElement(host: SimHost): XmlElement {
  const { spec } = host;
  return element('cpu', {}, [
    element('arch', {}, ['x86_64']),
    element('model', {}, [spec.cpuModel]),
    element('vendor', {}, [spec.cpuVendor]),
    element('topology', { sockets: 1, dies: 1, clusters: 1, cores: spec.cpuCount, threads: 1 }),
    ...spec.cpuFeatures.map((name) => element('feature', { name })),
  ]);
}

function topologyElement(host: SimHost): XmlElement {
  const { spec } = host;
  const nodes = Math.max(1, spec.numaNodeCount);
  const cells = Array.from({ length: nodes }, (_, id) => {
    const cpus = Array.from({ length: spec.cpuCount }, (_cpu, cpu) => cpu).filter(
      (cpu) => Math.floor((cpu * nodes) / spec.cpuCount) === id,
    );
    return element('cell', { id }, [
      element('memory', { unit: 'KiB' }, [String(Math.floor(spec.memoryKiB / nodes))]),
      element(
        'cpus',
        { num: cpus.length },
        cpus.map((cpu) => element('cpu', { id: cpu, socket_id: id, core_id: cpu, siblings: cpu })),
      ),
    ]);
  });
  return element('topology', {}, [element('cells', { num: nodes }, cells)]);
}

/** virConnectGetCapabilities. */
export function capabilitiesXml(host: SimHost): string {
  const hostElement = element('host', {}, [
    element('uuid', {}, [host.spec.uuid]),
    cpuElement(host),
    element('power_management'),
    element('iommu', { support: 'yes' }),
    element('migration_features', {}, [
      element('live'),
      element('uri_transports', {}, [
        element('uri_transport', {}, ['tcp']),
        element('uri_transport', {}, ['rdma']),
      ]),
    ]),
    topologyElement(host),
  ]);
  const guest = element('guest', {}, [
    element('os_type', {}, ['hvm']),
    element('arch', { name: 'x86_64' }, [
      element('wordsize', {}, ['64']),
      element('emulator', {}, ['/usr/bin/qemu-system-x86_64']),
      ...MACHINES.map((machine) => element('machine', { maxCpus: 255 }, [machine])),
      element('domain', { type: 'qemu' }),
      element('domain', { type: 'kvm' }),
    ]),
  ]);
  return formatXml(element('capabilities', {}, [hostElement, guest]));
}

/** virConnectGetDomainCapabilities. */
export function domainCapabilitiesXml(
  host: SimHost,
  machine: string | null,
  virtType: string | null,
): string {
  const root = element('domainCapabilities', {}, [
    element('path', {}, ['/usr/bin/qemu-system-x86_64']),
    element('domain', {}, [virtType ?? 'kvm']),
    element('machine', {}, [machine ?? MACHINES[0]]),
    element('arch', {}, ['x86_64']),
    element('vcpu', { max: 255 }),
    element('cpu', {}, [
      element('mode', { name: 'host-passthrough', supported: 'yes' }),
      element('mode', { name: 'host-model', supported: 'yes' }, [
        element('model', { fallback: 'forbid' }, [host.spec.cpuModel]),
        element('vendor', {}, [host.spec.cpuVendor]),
      ]),
    ]),
    element('devices', {}, [element('hostdev', { supported: 'yes' })]),
  ]);
  return formatXml(root);
}

/** virConnectCompareHypervisorCPU: a host runs what asks for no feature it lacks, of the same vendor. */
export function compareCpu(host: SimHost, cpuXml: string): number {
  const given = parseXml(cpuXml);
  const cpu = given.name === 'cpu' ? given : find(given, 'cpu');
  if (!cpu) throw refuse('xml', 'missing <cpu> element');
  const { spec } = host;
  const vendor = textOf(cpu, 'vendor');
  if (vendor !== undefined && vendor !== spec.cpuVendor) return CPU_COMPARE.incompatible;
  const wanted = children(cpu, 'feature')
    .filter((each) => !['disable', 'forbid', 'optional'].includes(attribute(each, 'policy') ?? 'require'))
    .map((each) => attribute(each, 'name') ?? '');
  if (!wanted.every((name) => spec.cpuFeatures.includes(name))) return CPU_COMPARE.incompatible;
  const same = textOf(cpu, 'model') === spec.cpuModel && wanted.length === spec.cpuFeatures.length;
  return same ? CPU_COMPARE.identical : CPU_COMPARE.superset;
}

/** virNetworkGetXMLDesc of a hostdev pool. */
export function networkXml(host: SimHost, pool: SimPoolSpec): string {
  const vfs = host.hardware.pf(pool.pf)?.vfs ?? [];
  const addresses = vfs.map((vf) => {
    const address = hostAddressElement(vf.pciAddress);
    return element('address', { type: 'pci', ...Object.fromEntries(address.attributes) });
  });
  return formatXml(
    element('network', {}, [
      element('name', {}, [pool.name]),
      element('uuid', {}, [pool.uuid]),
      element('forward', { mode: 'hostdev', managed: 'yes' }, [
        element('pf', { dev: pool.pf }),
        ...addresses,
      ]),
    ]),
  );
}
