/**
 * Names of things on a host, and the strict patterns they must match before they go into a command or an XML
 * document. Pure. Used inside this folder only. Nothing a host or a client said reaches a shell without
 * having passed here.
 */
import { HandoverError } from '../base/errors.ts';
import { type PciAddress, parsePciAddress } from '../base/ids.ts';
import { isPeerUri } from '../model/host.ts';

/**
 * IFNAMSIZ - 1 characters at most; the kernel allows more characters than this, no driver or administrator
 * uses them.
 */
const NETDEV = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$/;
const IMAGE_PATH = /^\/[^\0-\x1f\x7f]{1,1023}$/;
const IMAGE_FORMATS: readonly string[] = ['qcow2', 'raw'];

/** `0000:3b:02.1` -> `pci_0000_3b_02_1`, libvirt's node device name of a PCI function. */
export function nodeDeviceName(pciAddress: PciAddress): string {
  return `pci_${pciAddress.replaceAll(/[:.]/g, '_')}`;
}

/** `pci_0000_3b_02_1` -> `0000:3b:02.1`; null for a node device that is no PCI function. */
export function pciAddressOfNodeDevice(name: string): PciAddress | null {
  const match = /^pci_([0-9a-f]{4})_([0-9a-f]{2})_([0-9a-f]{2})_([0-7])$/.exec(name);
  return match ? parsePciAddress(`${match[1]}:${match[2]}:${match[3]}.${match[4]}`) : null;
}

/** The four parts of a PCI address, hex digits without prefix. */
export function pciParts(pciAddress: PciAddress): {
  domain: string;
  bus: string;
  slot: string;
  function: string;
} {
  const checked = checkPciAddress(pciAddress);
  return {
    domain: checked.slice(0, 4),
    bus: checked.slice(5, 7),
    slot: checked.slice(8, 10),
    function: checked.slice(11),
  };
}

/**
 * Returns a PCI address known to be well formed. Throws `INVALID_INPUT`: brands do not survive JSON, so it is
 * checked again.
 */
export function checkPciAddress(text: string): PciAddress {
  const parsed = parsePciAddress(text);
  if (parsed === null) throw refuse('PCI address', text, 'write it like 0000:3b:02.1');
  return parsed;
}

/** Returns a network device name that is safe in a command. Throws `INVALID_INPUT`. */
export function checkNetdevName(text: string): string {
  if (!NETDEV.test(text))
    throw refuse('network device name', text, 'only letters, digits and _ . @ - are used');
  return text;
}

/** Returns a domain's name that is safe in a path: libvirt allows all but slashes and line ends. */
export function checkDomainName(text: string): string {
  if (!/^[^/\0-\x1f\x7f]{1,255}$/.test(text))
    throw refuse('domain name', text, 'it has a slash or control character');
  return text;
}

/** Returns a libvirt URI of another host that is safe in a command. Throws `INVALID_INPUT`. */
export function checkPeerUri(text: string): string {
  if (!isPeerUri(text)) throw refuse('peer URI', text, 'write it like qemu+ssh://root@HOST/system');
  return text;
}

/** Returns an absolute path of a disk image without control characters. Throws `INVALID_INPUT`. */
export function checkImagePath(text: string): string {
  if (!IMAGE_PATH.test(text) || text.includes('/../')) {
    throw refuse('path of a disk image', text, 'an absolute path without ".." is needed');
  }
  return text;
}

/** Returns a format a disk image can be created in. Throws `INVALID_INPUT`. */
export function checkImageFormat(text: string): string {
  if (!IMAGE_FORMATS.includes(text)) throw refuse('disk format', text, 'qcow2 and raw can be copied');
  return text;
}

function refuse(what: string, text: string, hint: string): HandoverError {
  return new HandoverError('INVALID_INPUT', `${JSON.stringify(text)} is not a usable ${what}: ${hint}`, {
    detail: { value: text },
  });
}
