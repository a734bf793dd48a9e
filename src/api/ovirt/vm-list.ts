/**
 * The list of `/vms`, of which there may be tens of thousands: only the part that is asked for is read, and
 * all of them part by part while they are sent. A search for anything but names reads the whole.
 */
import type { VmHead } from '../../model/vm.ts';
import { type Call, long, type Route } from './route.ts';
import { vmType } from './schema/index.ts';
import type { ListPart, SearchFields } from './search.ts';
import { toVm } from './vms.ts';
import type { AnyEntity } from './wire/fields.ts';

/**
 * VMs that are read, and sent, in one go: few enough not to keep other requests waiting, and what most
 * clients ask for.
 */
const PART = 100;

async function list(call: Call) {
  const hostNames = new Map<string, string>();
  const whole = async () => {
    const vms = await call.look.vms();
    // Other searches do without: hosts come with all that was seen on them.
    if (/host/i.test(call.query.get('search') ?? ''))
      for (const { id, name } of await call.look.hosts()) hostNames.set(id, name);
    return vms.map(toVm);
  };
  const parts = async function* (wanted: ListPart) {
    for await (const vms of partsOf(call, wanted)) yield vms.map(toVm);
  };
  return long(vmType, whole, parts, searchFields(hostNames));
}

function searchFields(hostNames: ReadonlyMap<string, string>): SearchFields {
  const hostName = (each: AnyEntity) => {
    const host = each['host'] as { id?: string } | null;
    return hostNames.get(host?.id ?? '');
  };
  return {
    host: hostName,
    'host.name': hostName,
    hosts: hostName,
    'hosts.name': hostName,
    cluster: () => 'Default',
    'cluster.name': () => 'Default',
    datacenter: () => 'Default',
    'vms.name': (each) => each['name'] as string,
  };
}

/** Each is asked for when the one before was taken; the last is the first that is not full. */
async function* partsOf(call: Call, { named, skip, limit }: ListPart): AsyncGenerator<readonly VmHead[]> {
  // What is followed may lead to the vNICs of every one of them.
  const isFollowed = (call.query.get('follow') ?? '') !== '';
  let left = limit ?? Infinity;
  let after: VmHead | undefined;
  do {
    const wanted = Math.min(left, PART);
    const part = {
      limit: wanted,
      ...(named === null ? {} : { named }),
      ...(after === undefined ? { skip } : { after }),
    };
    const vms: readonly VmHead[] = isFollowed ? await call.look.vmPart(part) : await call.look.vmHeads(part);
    yield vms;
    left -= vms.length;
    after = vms.length < wanted ? undefined : vms.at(-1);
  } while (after !== undefined && left > 0);
}

/** The route of the list. */
export const vmListRoutes: readonly Route[] = [{ method: 'GET', path: 'vms', run: list }];
