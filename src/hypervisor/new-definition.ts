/**
 * A VM's definition as a user gives it: read, named, and told about. Pure. What it says beside that is
 * libvirt's to judge. Reached through `Hypervisors.readDefinition` only.
 */
import { HandoverError, messageOf } from '../base/errors.ts';
import { isUuid, parseMac, type VmId } from '../base/ids.ts';
import {
  attr,
  child,
  children,
  element,
  parseXml,
  setAttr,
  setText,
  textOf,
  writeXml,
  type XmlElement,
} from '../libvirt/xml/index.ts';
import type { GivenDefinition, NewDefinition } from './port.ts';

/** See `Hypervisors.readDefinition`. */
export function readDefinition(given: GivenDefinition): NewDefinition {
  const root = rootOf(given.xml);
  // A number of a running domain, as `virsh dumpxml` shows it, is nothing a definition has.
  setAttr(root, 'id', undefined);
  const name = (given.name ?? textOf(child(root, 'name'))).trim();
  // libvirt names files and sockets after it.
  if (!/^[^\s/\p{Cc}][^/\p{Cc}]{0,199}$/u.test(name))
    throw invalid(
      `a VM's name is 1 to 200 characters without a slash or control characters, not ${JSON.stringify(name)}`,
    );
  const uuid = textOf(child(root, 'uuid')).toLowerCase() || given.id;
  if (!isUuid(uuid)) throw invalid(`its <uuid> ${JSON.stringify(uuid)} is not a UUID`);
  setFirst(root, 'uuid', uuid);
  setFirst(root, 'name', name);
  const interfaces = children(child(root, 'devices'), 'interface');
  return {
    xml: writeXml(root),
    name,
    id: uuid as VmId,
    macs: interfaces.flatMap((each) => parseMac(attr(child(each, 'mac'), 'address') ?? '') ?? []),
  };
}

function rootOf(xml: string): XmlElement {
  let root: XmlElement;
  try {
    root = parseXml(xml);
  } catch (thrown) {
    throw invalid(messageOf(thrown));
  }
  if (root.name !== 'domain')
    throw invalid(`it is <${root.name}>, not <domain>; give what "virsh dumpxml --inactive VM" writes`);
  return root;
}

function setFirst(root: XmlElement, name: string, text: string): void {
  let found = child(root, name);
  if (!found) {
    found = element(name, {}, []);
    root.children.unshift(found);
  }
  setText(found, text);
}

const invalid = (why: string) =>
  new HandoverError('INVALID_INPUT', `the definition of the VM can not be used: ${why}`);
