/**
 * Reading a host's PCI functions and network devices through libvirt, only those that matter: network
 * devices, the functions they belong to, the VFs of those, and what shares an IOMMU group with a VF. A host
 * has hundreds of others. A device that vanishes between list and look is left out. Used by `observe.ts` and
 * `vf-look.ts`.
 */
import type { PciAddress } from '../base/ids.ts';
import { LIBVIRT_CODE, type LibvirtClient, LIST_NODE_DEVICES, procedures } from '../libvirt/index.ts';
import { mapBounded } from './bounded.ts';
import { nodeDeviceName } from './names.ts';
import {
  type DeviceTable,
  type NetDevice,
  type PciDevice,
  readNetDevice,
  readPciDevice,
} from './node-devices.ts';
import { nullOn } from './refusals.ts';

const LOOK_LIMIT_MS = 15_000;

/** One PCI function; null if the host has none at that address. */
export async function lookAtPci(client: LibvirtClient, pciAddress: PciAddress): Promise<PciDevice | null> {
  const xml = await deviceXml(client, nodeDeviceName(pciAddress));
  return xml === null ? null : readPciDevice(xml);
}

/** Every network device of the host. */
export async function lookAtNets(client: LibvirtClient): Promise<NetDevice[]> {
  const { devices } = await client.call(
    procedures.connectListAllNodeDevices,
    { needResults: true, flags: LIST_NODE_DEVICES.net },
    { timeoutMs: LOOK_LIMIT_MS },
  );
  const xmls = await mapBounded(devices, ({ name }) => deviceXml(client, name));
  return xmls.flatMap((xml) => (xml === null ? [] : [readNetDevice(xml)]));
}

/** All that `assemblePfs` and `assembleNics` need. */
export async function lookAtDevices(client: LibvirtClient): Promise<DeviceTable> {
  const nets = await lookAtNets(client);
  const pci = new Map<PciAddress, PciDevice>();
  const add = async (addresses: Iterable<PciAddress>) => {
    const missing = [...new Set(addresses)].filter((address) => !pci.has(address));
    for (const device of await mapBounded(missing, (address) => lookAtPci(client, address))) {
      if (device) pci.set(device.pciAddress, device);
    }
  };
  await add(nets.flatMap((net) => net.pciAddress ?? []));
  await add([...pci.values()].flatMap((device) => device.virtualFunctions?.addresses ?? []));
  await add([...pci.values()].flatMap((device) => (device.physicalFunction ? device.iommuGroupMembers : [])));
  return { pci, nets };
}

async function deviceXml(client: LibvirtClient, name: string): Promise<string | null> {
  const call = client.call(procedures.nodeDeviceGetXmlDesc, { name, flags: 0 }, { timeoutMs: LOOK_LIMIT_MS });
  return (await nullOn(call, LIBVIRT_CODE.noNodeDevice))?.xml ?? null;
}
