/** Calls about one domain, migration and devices aside. */
import { DOMAIN_XML } from '../../libvirt/procedures/flags.ts';
import type { SimDomain } from '../domain.ts';
import { liveText, migratableLive } from '../domain-xml.ts';
import { affected, attachDevice, detachAlias, detachDevice, updateDevice } from '../hotplug.ts';
import {
  askReboot,
  createDomain,
  defineDomain,
  destroyDomain,
  rebootGuest,
  resumeDomain,
  setAutostart,
  shutdownDomain,
  startDomain,
  suspendDomain,
  undefineDomain,
} from '../lifecycle.ts';
import { getMetadata, setMetadata } from '../metadata.ts';
import { refuse } from '../refusal.ts';
import { formatXml, textOf } from '../xml.ts';
import { domainOf, type Handlers } from './session.ts';

/** virDomainGetXMLDesc. */
function domainXml(domain: SimDomain, flags: number): string {
  if (domain.live && (flags & DOMAIN_XML.inactive) === 0) {
    const { live, id } = domain;
    return flags & DOMAIN_XML.migratable ? formatXml(migratableLive(live)) : liveText(live, id);
  }
  // A transient domain's inactive XML is what it would be if it were defined.
  return formatXml(domain.config ?? migratableLive(domain.current));
}

export const domainCalls: Handlers = {
  domainLookupById: ({ host }, { id }) => ({ dom: host.byId(id).ref }),
  domainLookupByName: ({ host }, { name }) => ({ dom: host.byName(name).ref }),
  domainLookupByUuid: ({ host }, { uuid }) => ({ dom: host.byUuid(uuid).ref }),
  domainGetXmlDesc: (session, args) => ({ xml: domainXml(domainOf(session, args), args.flags) }),
  domainGetState(session, args) {
    const { state, reason } = domainOf(session, args);
    return { state, reason };
  },
  domainGetInfo(session, args) {
    const domain = domainOf(session, args);
    const memoryKiB = BigInt(domain.memoryKiB);
    return {
      state: domain.state,
      maxMemoryKiB: memoryKiB,
      memoryKiB,
      vcpus: Number(textOf(domain.current, 'vcpu') ?? '1'),
      cpuTimeNs: 0n,
    };
  },
  domainIsPersistent: (session, args) => ({ persistent: domainOf(session, args).config !== null }),
  domainIsActive: (session, args) => ({ active: domainOf(session, args).active }),
  domainGetOsType(session, args) {
    domainOf(session, args);
    return { type: 'hvm' };
  },
  domainGetMaxMemory: (session, args) => ({ memoryKiB: BigInt(domainOf(session, args).memoryKiB) }),
  domainHasManagedSaveImage(session, args) {
    domainOf(session, args);
    return { has: false };
  },
  domainListAllSnapshots(session, args) {
    domainOf(session, args);
    return { snapshots: [], ret: 0 };
  },
  domainListAllCheckpoints(session, args) {
    domainOf(session, args);
    return { checkpoints: [], ret: 0 };
  },

  domainDefineXmlFlags: ({ host }, { xml }) => ({ dom: defineDomain(host, xml).ref }),
  domainDefineXml: ({ host }, { xml }) => ({ dom: defineDomain(host, xml).ref }),
  domainUndefineFlags(session, args) {
    undefineDomain(session.host, domainOf(session, args));
    return {};
  },
  domainUndefine(session, args) {
    undefineDomain(session.host, domainOf(session, args));
    return {};
  },
  domainCreateXml: async ({ host }, { xml, flags }) => ({ dom: (await createDomain(host, xml, flags)).ref }),
  async domainCreateWithFlags(session, args) {
    const domain = domainOf(session, args);
    await startDomain(session.host, domain, args.flags);
    return { dom: domain.ref };
  },
  async domainCreate(session, args) {
    await startDomain(session.host, domainOf(session, args), 0);
    return {};
  },
  async domainDestroyFlags(session, args) {
    await destroyDomain(session.host, domainOf(session, args));
    return {};
  },
  async domainDestroy(session, args) {
    await destroyDomain(session.host, domainOf(session, args));
    return {};
  },
  domainShutdownFlags(session, args) {
    shutdownDomain(session.host, domainOf(session, args));
    return {};
  },
  domainShutdown(session, args) {
    shutdownDomain(session.host, domainOf(session, args));
    return {};
  },
  domainReboot(session, args) {
    askReboot(session.host, domainOf(session, args));
    return {};
  },
  domainReset(session, args) {
    const domain = domainOf(session, args);
    domain.running;
    rebootGuest(session.host, domain);
    return {};
  },
  async domainSuspend(session, args) {
    await suspendDomain(session.host, domainOf(session, args));
    return {};
  },
  async domainResume(session, args) {
    await resumeDomain(session.host, domainOf(session, args));
    return {};
  },
  domainGetAutostart: (session, args) => ({ autostart: domainOf(session, args).autostart }),
  domainSetAutostart(session, args) {
    setAutostart(domainOf(session, args), args.autostart);
    return {};
  },

  async domainAttachDeviceFlags(session, args) {
    await attachDevice(session.host, domainOf(session, args), args.xml, args.flags);
    return {};
  },
  async domainAttachDevice(session, args) {
    await attachDevice(session.host, domainOf(session, args), args.xml, 1);
    return {};
  },
  async domainDetachDeviceFlags(session, args) {
    await detachDevice(session.host, domainOf(session, args), args.xml, args.flags);
    return {};
  },
  async domainDetachDevice(session, args) {
    await detachDevice(session.host, domainOf(session, args), args.xml, 1);
    return {};
  },
  async domainDetachDeviceAlias(session, args) {
    await detachAlias(session.host, domainOf(session, args), args.alias, args.flags);
    return {};
  },
  async domainUpdateDeviceFlags(session, args) {
    await updateDevice(session.host, domainOf(session, args), args.xml, args.flags);
    return {};
  },

  domainSetMetadata(session, args) {
    const domain = domainOf(session, args);
    const affects = affected(domain, args.flags);
    for (const xml of [affects.live ? domain.live : null, affects.config ? domain.config : null]) {
      if (xml) setMetadata(xml, args.type, args.metadata, args.key, args.uri);
    }
    return {};
  },
  domainGetMetadata(session, args) {
    const domain = domainOf(session, args);
    const affects = affected(domain, args.flags);
    const xml = affects.live ? domain.live : domain.config;
    const metadata = xml && getMetadata(xml, args.type, args.uri);
    if (typeof metadata !== 'string') {
      throw refuse('no_metadata', 'Requested metadata element is not present');
    }
    return { metadata };
  },
  domainGetMessages(session, args) {
    domainOf(session, args);
    return { messages: [] };
  },
};
