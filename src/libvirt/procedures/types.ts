/**
 * The types that procedures share, and libvirt's limits for them (strings 4 MiB, lists 16384 and so on).
 * An id of -1 means the domain is inactive; a daemon finds domains by their UUID, so a wrong name or id does
 * no harm.
 */
import {
  array,
  fixedOpaque,
  int,
  mapped,
  nothing,
  opaque,
  optional,
  string,
  struct,
  uint,
} from '../xdr/codec.ts';
import type { Infer } from '../xdr/codec.ts';

export { nothing };

const STRING_BYTES_MAX = 4 * 1024 * 1024;
const COOKIE_BYTES_MAX = 4 * 1024 * 1024;
/** Domains, networks: at most so many in a list. */
export const LIST_MAX = 16384;
/** Node devices in a list. */
export const NODE_DEVICE_LIST_MAX = 65536;

/** A string that is never absent. */
export const text = string(STRING_BYTES_MAX);

/** A string or null. */
export const optionalText = optional(text);

/** What the two sides of a migration tell each other; nobody else may look inside. At most 4 MiB. */
export const cookie = opaque(COOKIE_BYTES_MAX);

/** 16 raw bytes on the wire, a lower-case UUID with dashes in the program. */
export const uuid = mapped(fixedOpaque(16), uuidBytes, uuidText);

/** A domain on one host. */
export const domain = struct({ name: text, uuid, id: int });
export type Domain = Infer<typeof domain>;

/** A virtual network of one host. */
export const network = struct({ name: text, uuid });
export type Network = Infer<typeof network>;

/** A device of the host, by its libvirt name such as `pci_0000_3b_02_1`. */
export const nodeDevice = struct({ name: text });
export type NodeDevice = Infer<typeof nodeDevice>;

/** How libvirt reports a failed call. `code` is one of `LIBVIRT_CODE`; match on it, never on the message. */
export const wireError = struct({
  code: int,
  domain: int,
  message: optionalText,
  level: int,
  dom: optional(domain),
  str1: optionalText,
  str2: optionalText,
  str3: optionalText,
  int1: int,
  int2: int,
  net: optional(network),
});
export type WireError = Infer<typeof wireError>;

/** A reply that is one XML document. */
export const xmlReply = struct({ xml: text });

/** Arguments `{domain, flags}`, the most frequent ones. */
export const domainAndFlags = struct({ dom: domain, flags: uint });

/** Arguments `{domain}`. */
export const domainOnly = struct({ dom: domain });

/** A reply that is one domain. */
export const domainReply = struct({ dom: domain });

/** At most `max` strings. */
export const texts = (max: number) => array(text, max);

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function uuidBytes(uuidWithDashes: string): Uint8Array {
  // A malformed one gives no bytes, which the fixed length then refuses as invalid input.
  return Buffer.from(UUID_TEXT.test(uuidWithDashes) ? uuidWithDashes.replaceAll('-', '') : '', 'hex');
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const parts = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}`;
  return `${parts}-${hex.slice(20)}`;
}
