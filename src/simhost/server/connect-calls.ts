/** Calls about the connection and the host. */
import { AUTH, FEATURE, LIST_DOMAINS } from '../../libvirt/procedures/flags.ts';
import { param, type TypedParam } from '../../libvirt/procedures/typed-params.ts';
import { DOMAIN_STATS } from '../../libvirt/procedures/flags.ts';
import type { SimDomain } from '../domain.ts';
import { capabilitiesXml, compareCpu, domainCapabilitiesXml } from '../host-xml.ts';
import { refuse } from '../refusal.ts';
import { textOf } from '../xml.ts';
import type { Handlers } from './session.ts';

/**
 * virDrvFeature numbers the daemon says yes to: migration v2, p2p, v3, protection, params; callbacks;
 * keepalive...
 */
const FEATURES = new Set<number>([3, 4, 6, 7, 9, FEATURE.keepalive, 11, 13, 14, 15, 16]);

export const connectCalls: Handlers = {
  authList: () => ({ types: [AUTH.none] }),
  authPolkit: () => ({ complete: true }),
  connectSupportsFeature(session, { feature }) {
    if (feature === FEATURE.keepalive) session.startKeepalive();
    return { supported: FEATURES.has(feature) };
  },
  connectOpen(session, { name, flags }) {
    const uri = name ?? 'qemu:///system';
    if (!/^qemu(\+\w+)?:\/\/[^/]*\/system(\?.*)?$/.test(uri)) {
      throw refuse('internal', `no connection driver available for ${uri}`);
    }
    session.uri = 'qemu:///system';
    session.readOnly = (flags & 1) !== 0;
    return {};
  },
  connectClose(session) {
    session.closeAfterReply();
    return {};
  },
  connectGetType: () => ({ type: 'QEMU' }),
  connectGetVersion: ({ host }) => ({ hvVersion: BigInt(host.spec.qemuVersion) }),
  connectGetLibVersion: ({ host }) => ({ libVersion: BigInt(host.spec.libvirtVersion) }),
  connectGetHostname: ({ host }) => ({ hostname: host.name }),
  connectGetUri: ({ uri }) => ({ uri: uri ?? 'qemu:///system' }),
  connectGetCapabilities: ({ host }) => ({ xml: capabilitiesXml(host) }),
  connectGetDomainCapabilities: ({ host }, { machine, virtType }) => ({
    xml: domainCapabilitiesXml(host, machine, virtType),
  }),
  connectCompareHypervisorCpu: ({ host }, { cpuXml }) => ({ result: compareCpu(host, cpuXml) }),
  nodeGetSecurityModel: () => ({ model: [], doi: [] }),
  nodeGetInfo: ({ host: { spec } }) => ({
    model: 'x86_64',
    memoryKiB: BigInt(spec.memoryKiB),
    cpus: spec.cpuCount,
    mhz: 2600,
    nodes: spec.numaNodeCount,
    sockets: 1,
    cores: Math.max(1, Math.floor(spec.cpuCount / spec.numaNodeCount)),
    threads: 1,
  }),
  nodeGetFreeMemory: ({ host }) => ({ freeBytes: BigInt(host.memoryFreeKiB()) * 1024n }),
  nodeGetMemoryStats({ host }, { count }) {
    const params = [
      { field: 'total', value: BigInt(host.spec.memoryKiB) },
      { field: 'free', value: BigInt(host.memoryFreeKiB()) },
      { field: 'buffers', value: 0n },
      { field: 'cached', value: 0n },
    ];
    return { params: count === 0 ? [] : params.slice(0, count), count: params.length };
  },
  connectListAllDomains({ host }, { needResults, flags }) {
    const domains = [...host.domains.values()].filter((domain) => selected(domain, flags));
    return { domains: needResults ? domains.map(({ ref }) => ref) : [], count: domains.length };
  },
  connectGetAllDomainStats({ host }, { doms, stats, flags }) {
    const wanted = new Set(doms.map(({ uuid }) => uuid));
    const domains = [...host.domains.values()].filter(
      (domain) => (wanted.size === 0 || wanted.has(domain.uuid)) && selected(domain, flags & 0xff),
    );
    const mask = stats === 0 ? ~0 : stats;
    return { records: domains.map((domain) => ({ dom: domain.ref, params: domainStats(domain, mask) })) };
  },
  connectRegisterCloseCallback: () => ({}),
  connectUnregisterCloseCallback: () => ({}),
  connectDomainEventCallbackRegisterAny(session, { eventId, dom }) {
    const event = DOMAIN_EVENT_BY_ID.get(eventId);
    if (event === undefined) throw refuse('internal', `unexpected domain event ID ${eventId}`);
    return { callbackId: session.register({ of: 'domain', event, only: dom?.uuid ?? null }) };
  },
  connectDomainEventCallbackDeregisterAny(session, { callbackId }) {
    session.deregister(callbackId);
    return {};
  },
  connectNodeDeviceEventRegisterAny(session, { eventId, device }) {
    const event = eventId === 0 ? 'nodeDevice' : 'nodeDeviceUpdate';
    return { callbackId: session.register({ of: 'nodeDevice', event, only: device?.name ?? null }) };
  },
  connectNodeDeviceEventDeregisterAny(session, { callbackId }) {
    session.deregister(callbackId);
    return {};
  },
};

/** Events that happen in the simulation; the others can be registered for and never come. */
const HAPPENING: ReadonlyMap<number, string> = new Map([
  [0, 'lifecycle'],
  [1, 'reboot'],
  [15, 'deviceRemoved'],
  [18, 'agentLifecycle'],
  [19, 'deviceAdded'],
  [20, 'migrationIteration'],
  [21, 'jobCompleted'],
  [22, 'deviceRemovalFailed'],
]);
/** VIR_DOMAIN_EVENT_ID_LAST of libvirt 11.3, exclusive. */
const EVENT_ID_END = 28;
const DOMAIN_EVENT_BY_ID: ReadonlyMap<number, string> = new Map(
  Array.from({ length: EVENT_ID_END }, (_, id) => [id, HAPPENING.get(id) ?? `never-${id}`] as const),
);

function selected(domain: SimDomain, flags: number): boolean {
  const within = (yes: number, no: number, is: boolean): boolean =>
    (flags & (yes | no)) === 0 || (flags & (is ? yes : no)) !== 0;
  return (
    within(LIST_DOMAINS.active, LIST_DOMAINS.inactive, domain.active) &&
    within(LIST_DOMAINS.persistent, LIST_DOMAINS.transient, domain.config !== null) &&
    within(1024, 2048, domain.autostart)
  );
}

function domainStats(domain: SimDomain, mask: number): TypedParam[] {
  const params: TypedParam[] = [];
  if (mask & DOMAIN_STATS.state) {
    params.push(param.int('state.state', domain.state), param.int('state.reason', domain.reason));
  }
  if (mask & DOMAIN_STATS.balloon) {
    params.push(param.ullong('balloon.current', BigInt(domain.active ? domain.memoryKiB : 0)));
    params.push(param.ullong('balloon.maximum', BigInt(domain.memoryKiB)));
  }
  if (mask & DOMAIN_STATS.vcpu) {
    const vcpus = Number(textOf(domain.current, 'vcpu') ?? '1');
    params.push(param.uint('vcpu.current', vcpus), param.uint('vcpu.maximum', vcpus));
  }
  if (mask & DOMAIN_STATS.interface && domain.guest) {
    domain.guest.count();
    params.push(param.uint('net.count', domain.guest.nics.length));
    domain.guest.nics.forEach((nic, index) => {
      params.push(param.string(`net.${index}.name`, nic.alias));
      params.push(param.ullong(`net.${index}.rx.pkts`, BigInt(Math.floor(nic.rxPackets))));
      params.push(param.ullong(`net.${index}.tx.pkts`, BigInt(Math.floor(nic.txPackets))));
    });
  }
  return params;
}
