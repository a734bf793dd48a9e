/** Calls about the host's devices and networks, and the guest agent. */
import { INTERFACE_ADDRESSES_SOURCE } from '../../libvirt/procedures/flags.ts';
import { agentCommand, guestAddresses } from '../agent.ts';
import { networkXml } from '../host-xml.ts';
import {
  checkNodeDevice,
  listNodeDevices,
  nodeDeviceParent,
  nodeDeviceXml,
  vfOfNodeDevice,
} from '../node-device-xml.ts';
import { refuse } from '../refusal.ts';
import { domainOf, type Handlers } from './session.ts';

export const deviceCalls: Handlers = {
  connectListAllNodeDevices({ host }, { needResults, flags }) {
    const names = listNodeDevices(host, flags);
    return { devices: needResults ? names.map((name) => ({ name })) : [], count: names.length };
  },
  nodeDeviceLookupByName: ({ host }, { name }) => ({ device: { name: checkNodeDevice(host, name) } }),
  nodeDeviceGetXmlDesc: ({ host }, { name }) => ({ xml: nodeDeviceXml(host, name) }),
  nodeDeviceGetParent: ({ host }, { name }) => ({ parent: nodeDeviceParent(host, name) }),
  nodeDeviceDetachFlags({ host }, { name, driver }) {
    host.hardware.bindForGuests(vfOfNodeDevice(host, name), driver === 'vfio' ? null : driver);
    host.emit({ type: 'nodeDeviceUpdate', name });
    return {};
  },
  nodeDeviceReAttach({ host }, { name }) {
    host.hardware.bindForHost(vfOfNodeDevice(host, name));
    host.emit({ type: 'nodeDeviceUpdate', name });
    return {};
  },
  nodeDeviceReset({ host }, { name }) {
    vfOfNodeDevice(host, name);
    return {};
  },

  connectListAllNetworks({ host: { spec } }, { needResults }) {
    const networks = spec.pools.map(({ name, uuid }) => ({ name, uuid }));
    return { networks: needResults ? networks : [], count: networks.length };
  },
  networkLookupByName({ host: { spec } }, { name }) {
    const pool = spec.pools.find((each) => each.name === name);
    if (!pool) throw refuse('no_network', `no network with matching name '${name}'`);
    return { net: { name, uuid: pool.uuid } };
  },
  networkGetXmlDesc({ host }, { net }) {
    const pool = host.spec.pools.find((each) => each.uuid === net.uuid);
    if (!pool) throw refuse('no_network', `no network with matching uuid '${net.uuid}'`);
    return { xml: networkXml(host, pool) };
  },

  qemuAgentCommand: async (session, args) => ({
    result: await agentCommand(session.host, domainOf(session, args), args.cmd, args.timeoutS),
  }),
  domainInterfaceAddresses(session, args) {
    const domain = domainOf(session, args);
    domain.running;
    if (args.source !== INTERFACE_ADDRESSES_SOURCE.agent) return { interfaces: [] };
    return { interfaces: guestAddresses(domain) };
  },
};
