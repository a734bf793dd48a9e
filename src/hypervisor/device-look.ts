/**
 * Reading a host's PCI functions and network devices through libvirt, only those that matter: network
 * devices, the functions they belong to, the VFs of those, and what shares an IOMMU group with a VF. A host
 * has hundreds of others. A device that vanishes between list and look is left out. Used by `observe.ts` and
 * `vf-look.ts`.
 */
import type { Clock } from '../base/clock.ts';
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

/** Names of all network devices of the host. */
async function listNets(client: LibvirtClient): Promise<string[]> {
  const { devices } = await client.call(
    procedures.connectListAllNodeDevices,
    { needResults: true, flags: LIST_NODE_DEVICES.net },
    { timeoutMs: LOOK_LIMIT_MS },
  );
  return devices.map(({ name }) => name);
}

async function lookAtNet(client: LibvirtClient, name: string): Promise<NetDevice | null> {
  const xml = await deviceXml(client, name);
  return xml === null ? null : readNetDevice(xml);
}

/** Every network device of the host. */
export async function lookAtNets(client: LibvirtClient): Promise<NetDevice[]> {
  const nets = await mapBounded(await listNets(client), (name) => lookAtNet(client, name));
  return nets.filter((net) => net !== null);
}

/** How long what is known of a VF is believed; less than the pause between two resyncs of a host. */
const KNOWN_FOR_MS = 50_000;

/**
 * All that `assemblePfs` and `assembleNics` need, and what is remembered of it. A host may have hundreds of
 * VFs, each a question for itself, and hardly ever does one change: a function is asked for again when its
 * network device came or went (its driver changed), and after `KNOWN_FOR_MS`. Each time asked for are PFs,
 * whose VFs come and go, and network devices of which nobody else tells whether they are up.
 */
export class KnownDevices {
  readonly #clock: Clock;
  #nets = new Map<string, NetDevice>();
  #pci = new Map<PciAddress, PciDevice>();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing is believed any more: VFs were made anew, with other drivers and network devices. */
  forget(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** `linksKnown`: whether the host channel tells which network devices are up. */
  async look(client: LibvirtClient, linksKnown: Promise<boolean>): Promise<DeviceTable> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#readAtMs > KNOWN_FOR_MS) {
      this.#nets = new Map();
      this.#pci = new Map();
      this.#readAtMs = nowMs;
    }
    const [knownNets, known] = [this.#nets, this.#pci];
    const stays = (address: PciAddress) => known.get(address)?.virtualFunctions === null;
    const isVf = (address: PciAddress | null) =>
      address !== null && known.get(address)?.physicalFunction != null;

    const [names, upIsKnown] = await Promise.all([listNets(client), linksKnown]);
    const nets = new Map<string, NetDevice>();
    await mapBounded(names, async (name) => {
      const before = knownNets.get(name);
      const holds = before && (upIsKnown || isVf(before.pciAddress));
      const net = holds ? before : await lookAtNet(client, name);
      if (net) nets.set(name, net);
    });
    const changed = [...nets, ...knownNets].filter(([name]) => nets.has(name) !== knownNets.has(name));
    for (const [, { pciAddress }] of changed) if (pciAddress !== null) known.delete(pciAddress);

    const pci = new Map<PciAddress, PciDevice>();
    const add = async (addresses: Iterable<PciAddress>, mayBeKnown: boolean) => {
      const missing = [...new Set(addresses)].filter((address) => !pci.has(address));
      await mapBounded(missing, async (address) => {
        const device = (mayBeKnown ? known.get(address) : null) ?? (await lookAtPci(client, address));
        if (device) pci.set(device.pciAddress, device);
      });
    };
    const owners = [...nets.values()].flatMap((net) => net.pciAddress ?? []);
    await add(owners.filter(stays), true);
    await add(owners, false);
    await add(
      [...pci.values()].flatMap((device) => device.virtualFunctions?.addresses ?? []),
      true,
    );
    await add(
      [...pci.values()].flatMap((device) => (device.physicalFunction ? device.iommuGroupMembers : [])),
      true,
    );
    this.#nets = nets;
    this.#pci = pci;
    return { pci, nets: names.flatMap((name) => nets.get(name) ?? []) };
  }
}

async function deviceXml(client: LibvirtClient, name: string): Promise<string | null> {
  const call = client.call(procedures.nodeDeviceGetXmlDesc, { name, flags: 0 }, { timeoutMs: LOOK_LIMIT_MS });
  return (await nullOn(call, LIBVIRT_CODE.noNodeDevice))?.xml ?? null;
}
