/** Procedures about what a host has besides domains: virtual networks and devices. */
import { array, int, optional, struct, uint } from '../xdr/codec.ts';
import { listArgs } from './connect.ts';
import { remote } from './procedure.ts';
import {
  LIST_MAX,
  network,
  NODE_DEVICE_LIST_MAX,
  nodeDevice,
  nothing,
  optionalText,
  text,
  xmlReply,
} from './types.ts';

const deviceName = struct({ name: text });
const callbackId = struct({ callbackId: int });

/** Virtual networks; hostdev pools among them. */
export const networkProcedures = {
  connectListAllNetworks: remote(
    283,
    'connect_list_all_networks',
    'high',
    listArgs,
    struct({ networks: array(network, LIST_MAX), count: uint }),
  ),
  networkLookupByName: remote(46, 'network_lookup_by_name', 'high', deviceName, struct({ net: network })),
  networkGetXmlDesc: remote(
    43,
    'network_get_xml_desc',
    'high',
    struct({ net: network, flags: uint }),
    xmlReply,
  ),
};

/** Devices of the host: PCI functions and network interfaces. */
export const nodeDeviceProcedures = {
  /** `flags` is a mask of `LIST_NODE_DEVICES`. May lag a moment behind udev. */
  connectListAllNodeDevices: remote(
    285,
    'connect_list_all_node_devices',
    'high',
    listArgs,
    struct({ devices: array(nodeDevice, NODE_DEVICE_LIST_MAX), count: uint }),
  ),
  nodeDeviceLookupByName: remote(
    113,
    'node_device_lookup_by_name',
    'high',
    deviceName,
    struct({ device: nodeDevice }),
  ),
  nodeDeviceGetXmlDesc: remote(
    114,
    'node_device_get_xml_desc',
    'low',
    struct({ name: text, flags: uint }),
    xmlReply,
  ),
  nodeDeviceGetParent: remote(
    115,
    'node_device_get_parent',
    'high',
    deviceName,
    struct({ parent: optionalText }),
  ),
  /** Takes the device from its host driver and gives it to `driver` (null: vfio-pci). */
  nodeDeviceDetachFlags: remote(
    301,
    'node_device_detach_flags',
    'low',
    struct({ name: text, driver: optionalText, flags: uint }),
    nothing,
  ),
  /** Gives the device back to its host driver. */
  nodeDeviceReAttach: remote(119, 'node_device_re_attach', 'low', deviceName, nothing),
  nodeDeviceReset: remote(120, 'node_device_reset', 'low', deviceName, nothing),
  /** `eventId` and messages: see `NODE_DEVICE_EVENTS`. */
  connectNodeDeviceEventRegisterAny: remote(
    374,
    'connect_node_device_event_register_any',
    'high',
    struct({ eventId: int, device: optional(nodeDevice) }),
    callbackId,
  ),
  connectNodeDeviceEventDeregisterAny: remote(
    375,
    'connect_node_device_event_deregister_any',
    'high',
    callbackId,
    nothing,
  ),
};
