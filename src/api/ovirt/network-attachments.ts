/**
 * `/hosts/ID/networkattachments`: what carries a network on a host. Handover derives it: a network is carried
 * by the bridge of its name, and by the nic below that. Looked at only; bridges are the operator's.
 */
import type { Host } from '../../model/host.ts';
import type { Network } from '../../model/network.ts';
import { notFound } from './look.ts';
import { hasNic, nicIdByName } from './host-nics.ts';
import { type Call, many, one, param, type Route } from './route.ts';
import { networkAttachmentType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

type Attachment = Entity<typeof networkAttachmentType>;

/** Networks that have a bridge there. `eno1.42` below a bridge is a VLAN of the nic eno1. */
function attachmentsOf(host: Host, networks: readonly Network[]): Attachment[] {
  return networks.flatMap((network) => {
    const bridge = host.inventory?.bridges.find((each) => each.name === network.name);
    if (!bridge) return [];
    const id = stableId('network_attachment', host.id, network.id);
    const nics = bridge.uplinks.flatMap(
      (name) => nicIdByName(host, name) ?? nicIdByName(host, name.replace(/\.\d+$/, '')) ?? [],
    );
    const nic = nics[0];
    return [
      {
        id,
        href: `hosts/${host.id}/networkattachments/${id}`,
        host: { id: host.id, href: `hosts/${host.id}` },
        host_nic: nic === undefined ? null : { id: nic, href: `hosts/${host.id}/nics/${nic}` },
        in_sync: true,
        network: { id: network.id, href: `networks/${network.id}` },
      },
    ];
  });
}

async function all(call: Call): Promise<Attachment[]> {
  const host = await call.look.host(param(call, 'hostId'));
  return attachmentsOf(host, await call.look.networks());
}

async function get(call: Call) {
  const id = param(call, 'attachmentId');
  const found = (await all(call)).find((each) => each.id === id);
  if (!found) throw notFound('network attachment', id);
  return one(networkAttachmentType, found);
}

/** Routes of the attachments of a host, and of one nic. */
export const networkAttachmentRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'hosts/:hostId/networkattachments',
    run: async (call) => many(networkAttachmentType, await all(call)),
  },
  { method: 'GET', path: 'hosts/:hostId/networkattachments/:attachmentId', run: get },
  {
    method: 'GET',
    path: 'hosts/:hostId/nics/:nicId/networkattachments',
    run: async (call) => {
      const id = param(call, 'nicId');
      const host = await call.look.host(param(call, 'hostId'));
      if (!hasNic(host, id)) throw notFound('host nic', id);
      const here = (await all(call)).filter((each) => each.host_nic?.id === id);
      return many(networkAttachmentType, here);
    },
  },
];
