/**
 * Looking at one domain: state, live XML, definition and flags, read together and believed only if they fit
 * together.
 *
 * A domain may start, end or vanish between two calls, above all in a migration. Live XML has an id exactly
 * while QEMU exists, so state and XML of different moments are recognised and read again. A domain that is
 * arriving may not be describable at all (`arriving-domains.ts`). Used by the look verbs.
 */
import type { Clock } from '../base/clock.ts';
import type { PciAddress, VmId } from '../base/ids.ts';
import {
  DOMAIN_XML,
  type Domain as DomainRef,
  LIBVIRT_CODE,
  type LibvirtClient,
  procedures,
} from '../libvirt/index.ts';
import type { Domain, DomainInterface } from '../model/domain.ts';
import { isActive } from '../model/domain.ts';
import type { ArrivingDomains } from './arriving-domains.ts';
import { readNetworkPool } from './capabilities-xml.ts';
import type { KnownDaemon } from './daemon-look.ts';
import { KnownDevices } from './device-look.ts';
import { type DomainDescription, readDomainXml } from './domain-xml.ts';
import { domainRef, nullOn, nullWithoutDomain } from './refusals.ts';
import { stateNames } from './state-names.ts';
import type { VfPlace } from './vf-look.ts';

const LOOK_LIMIT_MS = 15_000;
/** After so many looks that do not fit together the last one is believed: the state may really be odd. */
const LOOKS_MAX = 3;

/** What is remembered of a host between looks, because it hardly ever changes; `observe` renews it. */
export interface HostMemory {
  /** By network name: it is a pool of VFs. */
  readonly isPool: Map<string, boolean>;
  /** NUMA node by host CPU; empty until the capabilities were read. */
  nodeOfCpu: ReadonlyMap<number, number>;
  readonly devices: KnownDevices;
  /** What does not change while the daemon runs. */
  daemon: KnownDaemon | null;
  /** Where each VF sits: the netdev of its PF and its index there. */
  vfPlaces: ReadonlyMap<PciAddress, VfPlace>;
}

/** Of a host not looked at yet. */
export const emptyMemory = (clock: Clock): HostMemory => ({
  isPool: new Map(),
  devices: new KnownDevices(clock),
  daemon: null,
  nodeOfCpu: new Map(),
  vfPlaces: new Map(),
});

/** What the look verbs of one host share. */
export interface Looker {
  readonly client: LibvirtClient;
  readonly clock: Clock;
  readonly memory: HostMemory;
  readonly arriving: ArrivingDomains;
}

/**
 * `described` false: it is arriving and libvirt does not describe it; then name, state and flags are all
 * there is.
 */
export interface SeenDomain {
  readonly domain: Domain;
  readonly described: boolean;
}

/** One domain now; null if the host does not know it. */
export async function lookAtDomain(looker: Looker, vmId: VmId): Promise<SeenDomain | null> {
  return nullWithoutDomain(lookUntilItFits(looker, domainRef(vmId)));
}

async function lookUntilItFits(looker: Looker, dom: DomainRef): Promise<SeenDomain> {
  for (let look = 1; ; look++) {
    const { state, reason } = await looker.client.call(
      procedures.domainGetState,
      { dom, flags: 0 },
      { timeoutMs: LOOK_LIMIT_MS },
    );
    if (mayBeArriving(stateNames(state, reason)) && !(await canBeDescribed(looker, dom))) {
      return { domain: await readUndescribed(looker.client, dom), described: false };
    }
    const seen = await readOnce(looker.client, dom);
    if (seen.description.live === isActive(seen) || seen.state === 'crashed' || look >= LOOKS_MAX) {
      return { domain: await assemble(looker.client, seen, looker.memory), described: true };
    }
  }
}

const canBeDescribed = ({ arriving }: Looker, dom: DomainRef) => arriving.canBeDescribed(dom.uuid as VmId);

/** On the source a domain is in these states too, at the switch-over and when a migration was cut off. */
function mayBeArriving({ state, stateReason }: Pick<Domain, 'state' | 'stateReason'>): boolean {
  return state === 'paused' && ['starting_up', 'migration'].includes(stateReason);
}

async function readUndescribed(client: LibvirtClient, dom: DomainRef): Promise<Domain> {
  const limit = { timeoutMs: LOOK_LIMIT_MS };
  const [found, state, persistent] = await Promise.all([
    client.call(procedures.domainLookupByUuid, { uuid: dom.uuid }, limit),
    client.call(procedures.domainGetState, { dom, flags: 0 }, limit),
    client.call(procedures.domainIsPersistent, { dom }, limit),
  ]);
  return {
    uuid: dom.uuid as VmId,
    name: found.dom.name,
    ...stateNames(state.state, state.reason),
    persistent: persistent.persistent,
    autostart: false,
    memoryKiB: 0,
    vcpus: 0,
    arch: '',
    machine: '',
    numaNodes: [],
    interfaces: [],
    configInterfaces: [],
    hostdevs: [],
    configHostdevs: [],
    disks: [],
    freePciePorts: null,
    agentConnected: false,
  };
}

type Seen = Pick<Domain, 'state' | 'stateReason' | 'persistent' | 'autostart'> & {
  readonly description: DomainDescription;
  /** Null for a transient domain, and for one that is not running: its description is the definition. */
  readonly definition: DomainDescription | null;
};

async function readOnce(client: LibvirtClient, dom: DomainRef): Promise<Seen> {
  const limit = { timeoutMs: LOOK_LIMIT_MS };
  const [state, live, inactive, persistent, autostart] = await Promise.all([
    client.call(procedures.domainGetState, { dom, flags: 0 }, limit),
    client.call(procedures.domainGetXmlDesc, { dom, flags: 0 }, limit),
    client.call(procedures.domainGetXmlDesc, { dom, flags: DOMAIN_XML.inactive }, limit),
    client.call(procedures.domainIsPersistent, { dom }, limit),
    client.call(procedures.domainGetAutostart, { dom }, limit),
  ]);
  const description = readDomainXml(live.xml);
  return {
    ...stateNames(state.state, state.reason),
    persistent: persistent.persistent,
    autostart: persistent.persistent && autostart.autostart,
    description,
    definition: persistent.persistent && description.live ? readDomainXml(inactive.xml) : null,
  };
}

async function assemble(client: LibvirtClient, seen: Seen, memory: HostMemory): Promise<Domain> {
  const { description, definition, ...state } = seen;
  const config = definition ?? (state.persistent ? description : null);
  const configInterfaces = await markPools(client, config?.interfaces ?? [], memory, description.interfaces);
  return {
    uuid: description.uuid,
    name: description.name,
    ...state,
    memoryKiB: description.memoryKiB,
    vcpus: description.vcpus,
    arch: description.arch,
    machine: description.machine,
    numaNodes: numaNodesOf(description, memory),
    interfaces: definition ? nameLivePools(description.interfaces, configInterfaces) : liveOrConfig(),
    configInterfaces,
    hostdevs: description.hostdevs,
    configHostdevs: config?.hostdevs ?? [],
    disks: description.disks,
    freePciePorts: description.freePciePorts,
    agentConnected: description.agentConnected,
  };

  function liveOrConfig(): readonly DomainInterface[] {
    return description.live ? description.interfaces : configInterfaces;
  }
}

/** Live XML shows a pool interface as the VF it got; its definition tells the pool. */
function nameLivePools(
  live: readonly DomainInterface[],
  config: readonly DomainInterface[],
): readonly DomainInterface[] {
  return live.map((each) => {
    const pool = config.find((one) => one.kind === 'hostdev_pool' && one.mac === each.mac);
    return each.kind === 'hostdev' && pool
      ? { ...each, kind: 'hostdev_pool' as const, network: pool.network }
      : each;
  });
}

/** Defined interfaces on a network of VFs become `hostdev_pool`. */
async function markPools(
  client: LibvirtClient,
  interfaces: readonly DomainInterface[],
  memory: HostMemory,
  live: readonly DomainInterface[],
): Promise<readonly DomainInterface[]> {
  return Promise.all(
    interfaces.map(async (each) => {
      if (each.kind !== 'network' || each.network === null) return each;
      const liveVf = live.some((one) => one.kind === 'hostdev' && one.mac === each.mac);
      const pool = liveVf || (await isPool(client, each.network, memory));
      return pool ? { ...each, kind: 'hostdev_pool' as const, managed: true } : each;
    }),
  );
}

async function isPool(client: LibvirtClient, name: string, memory: HostMemory): Promise<boolean> {
  const known = memory.isPool.get(name);
  if (known !== undefined) return known;
  const limit = { timeoutMs: LOOK_LIMIT_MS };
  const xml = await nullOn(
    client
      .call(procedures.networkLookupByName, { name }, limit)
      .then(({ net }) => client.call(procedures.networkGetXmlDesc, { net, flags: 0 }, limit)),
    LIBVIRT_CODE.noNetwork,
    LIBVIRT_CODE.noSupport,
  );
  const pool = xml !== null && readNetworkPool(xml.xml) !== null;
  if (xml !== null) memory.isPool.set(name, pool);
  return pool;
}

function numaNodesOf(description: DomainDescription, memory: HostMemory): number[] {
  const ofCpus = description.cpus.flatMap((cpu) => memory.nodeOfCpu.get(cpu) ?? []);
  return [...new Set([...description.memoryNodes, ...ofCpus])].sort((a, b) => a - b);
}
