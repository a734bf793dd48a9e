/**
 * Branded ids: a VM's id can not be passed where a host's is wanted. All are UUID strings made by Handover,
 * except `VmId`, which is the domain's own UUID (one VM, one UUID, on every host), and `PciAddress`, which
 * names a function of one host.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A host Handover knows. */
export type HostId = Branded<'HostId'>;
/** The domain's libvirt UUID, lower case with dashes. */
export type VmId = Branded<'VmId'>;
export type VnicId = Branded<'VnicId'>;
export type NetworkId = Branded<'NetworkId'>;
export type VnicProfileId = Branded<'VnicProfileId'>;
export type JobId = Branded<'JobId'>;
/** `dddd:bb:ss.f`, lower-case hex, as sysfs and `lspci -D` print it. Unique within one host only. */
export type PciAddress = Branded<'PciAddress'>;
/** `xx:xx:xx:xx:xx:xx`, lower case. */
export type Mac = Branded<'Mac'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PCI = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7]$/;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** True for a lower-case UUID with dashes. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** Parses `0000:3b:02.1`; null if it is not a PCI address. */
export function parsePciAddress(text: string): PciAddress | null {
  const lower = text.toLowerCase();
  return PCI.test(lower) ? (lower as PciAddress) : null;
}

/** Parses a MAC address in any case; null if it is none. */
export function parseMac(text: string): Mac | null {
  const lower = text.toLowerCase();
  return MAC.test(lower) ? (lower as Mac) : null;
}
