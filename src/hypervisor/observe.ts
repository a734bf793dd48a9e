/**
 * Everything about a host in one look: the `observe` verb. Facts that cannot be had are null or left out,
 * never guessed.
 */
import { HandoverError, messageOf } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { LIBVIRT_CODE, type LibvirtClient, procedures } from '../libvirt/index.ts';
import type { Domain } from '../model/domain.ts';
import type { HostInventory, NetworkPool } from '../model/host.ts';
import { mapBounded } from './bounded.ts';
import { readNetworkPool } from './capabilities-xml.ts';
import { lookAtDaemon } from './daemon-look.ts';
import { type HostMemory, type Looker, lookAtDomain } from './domain-look.ts';
import type { HostChannel } from './host-channel.ts';
import { bridgesOf, type LinkTable } from './link-facts.ts';
import { assembleNics, assemblePfs } from './node-devices.ts';
import { nullOn } from './refusals.ts';

const LOOK_LIMIT_MS = 15_000;
/** virNodeGetMemoryStats of the whole host; Linux always gives these four values. */
const WHOLE_HOST = -1;
const MEMORY_STATS_COUNT = 4;

/** Looks at everything. Throws `LIBVIRT_TOO_OLD`; a broken host channel is a fact, not an error. */
export async function observe(looker: Looker, channel: HostChannel, where: string): Promise<HostInventory> {
  const { client, memory, clock } = looker;
  const daemon = await lookAtDaemon(client, memory.daemon, clock.monotonicMs(), where);
  const { capabilities } = daemon;
  memory.daemon = daemon;
  memory.nodeOfCpu = capabilities.nodeOfCpu;
  const looking = lookAtLinks(channel);
  const linksKnown = looking.then(({ table }) => table !== null);
  const [hostMemory, links, devices] = await Promise.all([
    lookAtMemory(client),
    looking,
    memory.devices.look(client, linksKnown),
  ]);
  const pools = await lookAtPools(client, memory);
  const domains = await lookAtDomains(looker);
  const pfs = assemblePfs(devices, links.table);
  memory.vfPlaces = new Map(
    pfs.flatMap(({ name, vfs }) => vfs.map(({ pciAddress, index }) => [pciAddress, { pf: name, index }])),
  );
  return {
    libvirtVersion: daemon.libvirtVersion,
    hypervisorVersion: daemon.hypervisorVersion,
    hostname: daemon.hostname,
    hostUuid: capabilities.hostUuid,
    arch: capabilities.arch,
    cpuModel: capabilities.cpuModel,
    cpuVendor: capabilities.cpuVendor,
    cpuCount: daemon.cpuCount,
    cpuXml: capabilities.cpuXml,
    memoryKiB: hostMemory.totalKiB,
    memoryFreeKiB: hostMemory.freeKiB,
    pfs,
    nics: assembleNics(devices, links.table),
    bridges: links.table ? bridgesOf(links.table) : [],
    pools,
    domains,
    channel: { works: links.table !== null, reason: links.reason },
  };
}

/**
 * The domains of the host, in the order libvirt lists them. One that is arriving and cannot be described yet
 * is left out: it is no VM of this host before it has arrived.
 */
export async function lookAtDomains(looker: Looker): Promise<Domain[]> {
  const { domains } = await looker.client.call(
    procedures.connectListAllDomains,
    { needResults: true, flags: 0 },
    { timeoutMs: LOOK_LIMIT_MS },
  );
  const looked = await mapBounded(domains, ({ uuid }) => lookAtDomain(looker, uuid as VmId));
  return looked.flatMap((seen) => (seen?.described ? [seen.domain] : []));
}

/** Free is with what the kernel gives up at once (buffers, page cache). */
async function lookAtMemory(client: LibvirtClient): Promise<{ totalKiB: number; freeKiB: number }> {
  const { params } = await client.call(
    procedures.nodeGetMemoryStats,
    { count: MEMORY_STATS_COUNT, cell: WHOLE_HOST, flags: 0 },
    { timeoutMs: LOOK_LIMIT_MS },
  );
  const sumOf = (...fields: string[]) =>
    params.reduce((sum, { field, value }) => sum + (fields.includes(field) ? Number(value) : 0), 0);
  return { totalKiB: sumOf('total'), freeKiB: sumOf('free', 'buffers', 'cached') };
}

async function lookAtLinks(
  channel: HostChannel,
): Promise<{ table: LinkTable | null; reason: string | null }> {
  try {
    return { table: await channel.readLinks(), reason: null };
  } catch (error) {
    if (error instanceof HandoverError && error.kind !== 'bug')
      return { table: null, reason: messageOf(error) };
    throw error;
  }
}

/** Networks of VFs. A host without libvirt's network driver has none. */
async function lookAtPools(client: LibvirtClient, memory: HostMemory): Promise<NetworkPool[]> {
  const limit = { timeoutMs: LOOK_LIMIT_MS };
  const listed = await nullOn(
    client.call(procedures.connectListAllNetworks, { needResults: true, flags: 0 }, limit),
    LIBVIRT_CODE.noSupport,
  );
  memory.isPool.clear();
  const pools = await mapBounded(listed?.networks ?? [], async (net) => {
    const xml = await nullOn(
      client.call(procedures.networkGetXmlDesc, { net, flags: 0 }, limit),
      LIBVIRT_CODE.noNetwork,
    );
    const pool = xml && readNetworkPool(xml.xml);
    if (xml) memory.isPool.set(net.name, pool !== null);
    return pool;
  });
  return pools.filter((pool) => pool !== null);
}
