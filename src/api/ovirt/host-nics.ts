/**
 * `/hosts/ID/nics`: ordinary nics, PFs and every VF that exists, attached or free, with a netdev or without:
 * the number of VFs listed is the PF's `number_of_virtual_functions`. Unlike oVirt, PF configuration and VFs
 * are shown without `all_content`.
 */
import type { HostId } from '../../base/ids.ts';
import type { VfUse } from '../../app/use-cases.ts';
import type { Host, HostNic } from '../../model/host.ts';
import type { PfConfig } from '../../model/network.ts';
import type { Pf, Vf } from '../../model/pf.ts';
import { notFound } from './look.ts';
import { ABSENT_OF_HOST_NIC, absentLinks, absentRoutes } from './absent.ts';
import { type Call, many, one, param, type Route } from './route.ts';
import { hostNicType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

type Nic = Entity<typeof hostNicType>;

/** Id of a host's nic: of its PCI function where it has one, else of its name. */
export const nicId = (hostId: HostId, key: string): string => stableId('host_nic', hostId, key);

const linkStatus = (carrier: boolean | null): string | null =>
  carrier === null ? null : carrier ? 'up' : 'down';

function base(host: Host, key: string) {
  const id = nicId(host.id, key);
  const href = `hosts/${host.id}/nics/${id}`;
  return {
    id,
    href,
    host: { id: host.id, href: `hosts/${host.id}` },
    link: [
      ...absentLinks(href, ABSENT_OF_HOST_NIC),
      { rel: 'networkattachments', href: `${href}/networkattachments` },
    ],
  };
}

/** Id of the ordinary nic or PF of that name; undefined if the host has none. */
export function nicIdByName({ id, inventory }: Host, name: string): string | undefined {
  const pf = inventory?.pfs.find((each) => each.name === name);
  if (pf) return nicId(id, pf.pciAddress);
  const nic = inventory?.nics.find((each) => each.name === name);
  return nic && nicId(id, nic.pciAddress ?? nic.name);
}

/** Whether the host has an ordinary nic, a PF or a VF of that id. */
export function hasNic({ id, inventory }: Host, wanted: string): boolean {
  const keys = [
    ...(inventory?.nics ?? []).map((nic) => nic.pciAddress ?? nic.name),
    ...(inventory?.pfs ?? []).flatMap((pf) => [pf, ...pf.vfs]).map((each) => each.pciAddress),
  ];
  return keys.some((key) => nicId(id, key) === wanted);
}

function toPlainNic(host: Host, nic: HostNic): Nic {
  return {
    ...base(host, nic.pciAddress ?? nic.name),
    name: nic.name,
    mac: nic.mac === null ? null : { address: nic.mac },
    status: linkStatus(nic.carrier),
    pci_address: nic.pciAddress,
  };
}

function toPfNic(host: Host, pf: Pf, uses: ReadonlyMap<string, VfUse>, config: PfConfig | undefined): Nic {
  const own = base(host, pf.pciAddress);
  const links = ['virtualfunctionallowednetworks', 'virtualfunctionallowedlabels'];
  return {
    ...own,
    name: pf.name,
    mac: pf.mac === null ? null : { address: pf.mac },
    mtu: pf.mtu,
    status: linkStatus(pf.carrier),
    virtual_functions_configuration: {
      all_networks_allowed: config?.allNetworksAllowed ?? true,
      max_number_of_virtual_functions: pf.vfCountMax,
      number_of_virtual_functions: pf.vfs.length,
      number_of_free_virtual_functions: pf.vfs.filter((vf) => uses.get(vf.pciAddress)?.state === 'free')
        .length,
    },
    pci_address: pf.pciAddress,
    driver: pf.driver,
    numa_node: pf.numaNode,
    actions: [
      {
        rel: 'updatevirtualfunctionsconfiguration',
        href: `${own.href}/updatevirtualfunctionsconfiguration`,
      },
    ],
    link: [...own.link, ...links.map((rel) => ({ rel, href: `${own.href}/${rel}` }))],
  };
}

function toVfNic(host: Host, pf: Pf, vf: Vf, use: VfUse | undefined): Nic {
  const pfId = nicId(host.id, pf.pciAddress);
  const mac = vf.attributes?.mac ?? null;
  return {
    ...base(host, vf.pciAddress),
    // A VF in a VM, or bound to vfio-pci, has no netdev: then the name the kernel would give it.
    name: vf.netdev ?? `${pf.name}v${vf.index}`,
    mac: mac === null ? null : { address: mac },
    physical_function: { id: pfId, href: `hosts/${host.id}/nics/${pfId}` },
    pci_address: vf.pciAddress,
    driver: vf.driver,
    numa_node: vf.numaNode,
    virtual_function_state: use?.state,
    virtual_function_reason: use?.reason,
  };
}

/** All nics of a host, its PFs each followed by their VFs. Empty for a host that was never seen. */
async function nicsOf(call: Call, host: Host): Promise<Nic[]> {
  const { inventory } = host;
  if (inventory === null) return [];
  const uses = new Map((await call.look.vfUses(host.id)).map((use) => [use.pciAddress as string, use]));
  const configs = await call.look.pfConfigs(host.id);
  return [
    ...inventory.nics.map((nic) => toPlainNic(host, nic)),
    ...inventory.pfs.flatMap((pf) => [
      toPfNic(
        host,
        pf,
        uses,
        configs.find((config) => config.pf === pf.pciAddress),
      ),
      ...pf.vfs.map((vf) => toVfNic(host, pf, vf, uses.get(vf.pciAddress))),
    ]),
  ];
}

async function list(call: Call) {
  return many(hostNicType, await nicsOf(call, await call.look.host(param(call, 'hostId'))));
}

/** The nic a request names. Throws `NOT_FOUND`. */
export async function getHostNic(call: Call) {
  const id = param(call, 'nicId');
  const nic = (await nicsOf(call, await call.look.host(param(call, 'hostId')))).find(
    (each) => each.id === id,
  );
  if (!nic) throw notFound('host nic', id);
  return one(hostNicType, nic);
}

const NIC = 'hosts/:hostId/nics/:nicId';
/** Routes of `/hosts/ID/nics`, except what is about VFs. */
export const hostNicRoutes: readonly Route[] = [
  { method: 'GET', path: 'hosts/:hostId/nics', run: list },
  { method: 'GET', path: NIC, run: getHostNic },
  ...absentRoutes(NIC, ABSENT_OF_HOST_NIC, getHostNic),
];
