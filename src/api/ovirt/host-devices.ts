/**
 * `/hosts/ID/devices`: the PCI functions of a host's network cards and the network devices on them, under
 * libvirt's names, as oVirt shows them; and `/vms/ID/hostdevices`, those a VM has as plain host devices.
 */
import type { PciAddress } from '../../base/ids.ts';
import { isActive, pciAddressesOf } from '../../model/domain.ts';
import type { Host } from '../../model/host.ts';
import { notFound } from './look.ts';
import { type Call, many, one, param, type Route } from './route.ts';
import { hostDeviceType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

type Device = Entity<typeof hostDeviceType>;

/** The device at the top of libvirt's tree. */
const ROOT = 'computer';

const refOf = (hostId: string, name: string) => {
  const id = stableId('host_device', hostId, name);
  return { id, href: `hosts/${hostId}/devices/${id}`, name };
};

const pciName = (address: PciAddress): string => `pci_${address.replaceAll(/[:.]/g, '_')}`;

/** A network device; oVirt has its MAC in the name, which is not known of all of them. */
const netName = (name: string, mac: string | null): string =>
  mac === null ? `net_${name}` : `net_${name}_${mac.replaceAll(':', '_')}`;

/** All of a host; empty for one that was never seen. */
function devicesOf(host: Host): Device[] {
  const { inventory } = host;
  if (inventory === null) return [];
  const users = new Map<string, string>();
  for (const domain of inventory.domains.filter(isActive)) {
    for (const address of pciAddressesOf(domain).live) users.set(address, domain.uuid);
  }
  const own = (name: string) => ({
    ...refOf(host.id, name),
    host: { id: host.id, href: `hosts/${host.id}` },
  });
  const pci = (address: PciAddress, driver: string | null): Device => {
    const user = users.get(address);
    return {
      ...own(pciName(address)),
      capability: 'pci',
      driver,
      parent_device: refOf(host.id, ROOT),
      vm: user === undefined ? null : { id: user, href: `vms/${user}` },
    };
  };
  const net = (name: string, mac: string | null, address: PciAddress): Device => ({
    ...own(netName(name, mac)),
    capability: 'net',
    parent_device: refOf(host.id, pciName(address)),
  });
  return [
    { ...own(ROOT), capability: 'system' },
    ...inventory.nics.flatMap((nic) =>
      nic.pciAddress === null ? [] : [pci(nic.pciAddress, null), net(nic.name, nic.mac, nic.pciAddress)],
    ),
    ...inventory.pfs.flatMap((pf) => [
      { ...pci(pf.pciAddress, pf.driver), virtual_functions: pf.vfCountMax },
      net(pf.name, pf.mac, pf.pciAddress),
      ...pf.vfs.flatMap((vf) => [
        {
          ...pci(vf.pciAddress, vf.driver),
          iommu_group: vf.iommuGroup,
          physical_function: refOf(host.id, pciName(pf.pciAddress)),
        },
        ...(vf.netdev === null ? [] : [net(vf.netdev, null, vf.pciAddress)]),
      ]),
    ]),
  ];
}

async function list(call: Call) {
  return many(hostDeviceType, devicesOf(await call.look.host(param(call, 'hostId'))));
}

async function get(call: Call) {
  const id = param(call, 'deviceId');
  const found = devicesOf(await call.look.host(param(call, 'hostId'))).find((each) => each.id === id);
  if (!found) throw notFound('host device', id);
  return one(hostDeviceType, found);
}

/** Plain host devices: a VF that is a vNIC is no host device of the VM, in oVirt neither. */
async function ofVm(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  if (vm.hostId === null) return many(hostDeviceType, []);
  const host = await call.look.host(vm.hostId);
  const domain = host.inventory?.domains.find((each) => each.uuid === vm.id);
  const known = devicesOf(host);
  return many(
    hostDeviceType,
    (domain?.hostdevs ?? []).map(
      (address): Device =>
        known.find((each) => each.name === pciName(address)) ?? {
          ...refOf(host.id, pciName(address)),
          capability: 'pci',
          host: { id: host.id, href: `hosts/${host.id}` },
          vm: { id: vm.id, href: `vms/${vm.id}` },
        },
    ),
  );
}

/** Routes of both. */
export const hostDeviceRoutes: readonly Route[] = [
  { method: 'GET', path: 'hosts/:hostId/devices', run: list },
  { method: 'GET', path: 'hosts/:hostId/devices/:deviceId', run: get },
  { method: 'GET', path: 'vms/:vmId/hostdevices', run: ofVm },
];
