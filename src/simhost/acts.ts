/**
 * What can be done to simulated hosts beside their clients' calls, as data: violence, changes of the world,
 * and what other people do behind our back. The same acts come from tests, from fault rules and over the
 * control socket.
 */
import { unreachableCase } from '../base/assert.ts';
import { HandoverError, messageOf } from '../base/errors.ts';
import { AFFECT, MIGRATE } from '../libvirt/procedures/flags.ts';
import type { SimDomain } from './domain.ts';
import type { SimFabric } from './fabric.ts';
import type { CallRule, Moment, MomentRule } from './faults.ts';
import type { SimGuest } from './guest.ts';
import type { SimHost } from './host.ts';
import { attachDevice } from './hotplug.ts';
import type { UnplugBehaviour } from './inventory.ts';
import {
  createDomain,
  crashGuest,
  destroyDomain,
  rebootGuest,
  shutdownDomain,
  undefineDomain,
} from './lifecycle.ts';
import { bootHost, crashHost, killLibvirtd, killQemu, startLibvirtd } from './machine.ts';
import { migratePeerToPeer } from './peer-to-peer.ts';
import { hostAddressElement } from './pci.ts';
import { element, formatXml } from './xml.ts';

/** What is done. Hosts by name, domains by name or UUID. */
export type SimAct =
  /** The host loses power, or has it again and boots. */
  | { readonly do: 'crashHost' | 'bootHost'; readonly host: string }
  /** SIGKILL of libvirtd; QEMUs live on. Started again after `restartAfterMs`; null = not. */
  | { readonly do: 'killLibvirtd'; readonly host: string; readonly restartAfterMs: number | null }
  | { readonly do: 'startLibvirtd'; readonly host: string }
  /** The network between two hosts. */
  | { readonly do: 'setLink'; readonly between: readonly [string, string]; readonly up: boolean }
  /** The cable of a PF. */
  | { readonly do: 'setCarrier'; readonly host: string; readonly pf: string; readonly up: boolean }
  /** Something else on the host takes so much memory; 0 gives it back. */
  | { readonly do: 'takeMemory'; readonly host: string; readonly memoryKiB: number }
  /** A domain nobody knows, `stranger-N`, starts with the VF of that PCI address. */
  | { readonly do: 'stealVf'; readonly host: string; readonly vf: string }
  /** What is given of the guest's behaviour changes, on whatever host it is. */
  | {
      readonly do: 'setGuest';
      readonly domain: string;
      readonly unplug?: UnplugBehaviour;
      readonly dirtyMiBps?: number;
      readonly vfTrouble?: SimGuest['vfTrouble'];
    }
  /** It restarts; it panics and is ended; its QEMU gets SIGKILL. */
  | { readonly do: 'rebootGuest' | 'crashGuest' | 'killQemu'; readonly host: string; readonly domain: string }
  /** What virsh does; `shutdown` is the guest's own ending too. */
  | { readonly do: 'destroy' | 'undefine' | 'shutdown'; readonly host: string; readonly domain: string }
  | { readonly do: 'attachDevice'; readonly host: string; readonly domain: string; readonly xml: string }
  /** Live and peer-to-peer, the definition goes along. */
  | { readonly do: 'migrate'; readonly host: string; readonly domain: string; readonly to: string };

/**
 * Does it; resolves when it is done. Throws `NOT_FOUND` for a host, PF or domain that is not there, and what
 * libvirt would refuse.
 */
export async function performAct(fabric: SimFabric, act: SimAct): Promise<void> {
  switch (act.do) {
    case 'setLink':
      fabric.setLink(hostOf(fabric, act.between[0]).name, hostOf(fabric, act.between[1]).name, act.up);
      return;
    case 'setGuest':
      setGuest(fabric, act);
      return;
    case 'rebootGuest':
    case 'crashGuest':
    case 'killQemu':
    case 'destroy':
    case 'undefine':
    case 'shutdown':
    case 'attachDevice':
    case 'migrate': {
      const host = hostOf(fabric, act.host);
      await domainAct(fabric, host, domainOf(host, act.domain), act);
      return;
    }
    default:
      await hostAct(hostOf(fabric, act.host), act);
  }
}

type DomainAct = Extract<SimAct, { host: string; domain: string }>;
type HostAct = Exclude<Extract<SimAct, { host: string }>, DomainAct>;

async function hostAct(host: SimHost, act: HostAct): Promise<void> {
  switch (act.do) {
    case 'crashHost':
      return crashHost(host);
    case 'bootHost':
      return bootHost(host);
    case 'killLibvirtd':
      return killLibvirtd(host, act.restartAfterMs);
    case 'startLibvirtd':
      return startLibvirtd(host);
    case 'setCarrier':
      return setCarrier(host, act.pf, act.up);
    case 'takeMemory':
      host.takenMemoryKiB = act.memoryKiB;
      return;
    case 'stealVf':
      await createDomain(host, strangerXml(host, act.vf), 0);
      return;
    default:
      unreachableCase(act, 'act');
  }
}

async function domainAct(fabric: SimFabric, host: SimHost, domain: SimDomain, act: DomainAct): Promise<void> {
  switch (act.do) {
    case 'rebootGuest':
      return rebootGuest(host, domain);
    case 'crashGuest':
      return crashGuest(host, domain);
    case 'killQemu':
      return killQemu(host, domain);
    case 'destroy':
      return destroyDomain(host, domain);
    case 'undefine':
      return undefineDomain(host, domain);
    case 'shutdown':
      return shutdownDomain(host, domain);
    case 'attachDevice':
      return attachDevice(host, domain, act.xml, AFFECT.live);
    case 'migrate': {
      const flags = MIGRATE.live | MIGRATE.peerToPeer | MIGRATE.persistDest | MIGRATE.undefineSource;
      const uri = `qemu+ssh://root@${hostOf(fabric, act.to).name}/system`;
      return migratePeerToPeer(fabric, host, domain, uri, { params: [], flags });
    }
    default:
      unreachableCase(act, 'act');
  }
}

function hostOf(fabric: SimFabric, name: string): SimHost {
  const host = fabric.hosts.get(name);
  if (!host) throw new HandoverError('NOT_FOUND', `no simulated host is called ${name}`);
  return host;
}

const isCalled = (domain: SimDomain, name: string): boolean => domain.name === name || domain.uuid === name;

function domainOf(host: SimHost, name: string): SimDomain {
  const domain = [...host.domains.values()].find((each) => isCalled(each, name));
  if (!domain) throw new HandoverError('NOT_FOUND', `no domain on ${host.name} is called ${name}`);
  return domain;
}

function setCarrier(host: SimHost, name: string, up: boolean): void {
  const pf = host.hardware.pf(name);
  if (!pf) throw new HandoverError('NOT_FOUND', `no PF of ${host.name} is called ${name}`);
  host.countTraffic();
  pf.carrier = up;
}

function setGuest(fabric: SimFabric, act: Extract<SimAct, { do: 'setGuest' }>): void {
  const guests = [...fabric.hosts.values()]
    .flatMap((host) => [...host.domains.values()])
    .flatMap((domain) => (isCalled(domain, act.domain) && domain.guest ? [domain.guest] : []));
  if (guests.length === 0) throw new HandoverError('NOT_FOUND', `no guest runs in a domain ${act.domain}`);
  for (const guest of guests) {
    if (act.unplug !== undefined) {
      guest.unplug = act.unplug;
      guest.answerPending();
    }
    if (act.dirtyMiBps !== undefined) guest.dirtyMiBps = act.dirtyMiBps;
    if (act.vfTrouble !== undefined) guest.vfTrouble = act.vfTrouble;
  }
}

function strangerXml(host: SimHost, vf: string): string {
  const named = new Set([...host.domains.values()].map(({ name }) => name));
  let number = 1;
  while (named.has(`stranger-${number}`)) number += 1;
  const source = element('source', {}, [hostAddressElement(vf)]);
  return formatXml(
    element('domain', { type: 'kvm' }, [
      element('name', {}, [`stranger-${number}`]),
      element('memory', { unit: 'MiB' }, ['256']),
      element('vcpu', {}, ['1']),
      element('os', {}, [element('type', {}, ['hvm'])]),
      element('devices', {}, [
        element('hostdev', { mode: 'subsystem', type: 'pci', managed: 'yes' }, [source]),
      ]),
    ]),
  );
}

/**
 * What a rule does to a host and around it, unless it was taken back before its delay was over. Never throws:
 * what cannot be done is not done.
 */
export async function strike(fabric: SimFabric, host: SimHost, rule: CallRule | MomentRule): Promise<void> {
  const { effect } = rule;
  if (!fabric.faults.isInForce(rule)) return;
  switch (effect?.type) {
    case 'crashHost':
      return crashHost(host);
    case 'restartLibvirtd':
      return killLibvirtd(host, effect.restartAfterMs);
    case 'act':
      await performAct(fabric, effect.act).catch((error: unknown) =>
        host.context.log.info('an act of a fault rule failed', {
          act: effect.act.do,
          error: messageOf(error),
        }),
      );
      return;
    default:
    // The others are the call's alone.
  }
}

/** A moment of a migration has come: what rules want then happens a little later, never within the caller. */
export function atMoment(fabric: SimFabric, host: SimHost, moment: Moment): void {
  const rule = fabric.faults.ofMoment(moment, host.name);
  if (rule) host.context.clock.after(rule.delayMs ?? 0, () => void strike(fabric, host, rule));
}
