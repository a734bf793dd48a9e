/**
 * Title, description and the elements of other people's namespaces in a domain's XML (virDomainSetMetadata).
 */
import { METADATA_TYPE } from '../libvirt/procedures/flags.ts';
import { refuse } from './refusal.ts';
import {
  append,
  children,
  element,
  find,
  formatXml,
  parseXml,
  remove,
  setText,
  textOf,
  type XmlElement,
} from './xml.ts';

/** Sets (or with null deletes) one piece of metadata. */
export function setMetadata(
  domain: XmlElement,
  type: number,
  value: string | null,
  key: string | null,
  uri: string | null,
): void {
  if (type !== METADATA_TYPE.element) {
    const name = type === METADATA_TYPE.title ? 'title' : 'description';
    const at = find(domain, name);
    if (value !== null) setText(domain, name, value);
    else if (at) remove(domain, at);
    return;
  }
  if (uri === null) throw refuse('invalid_argument', 'metadata uri is required');
  const holder = find(domain, 'metadata') ?? append(domain, element('metadata'));
  const old = elementOf(holder, uri);
  if (old) remove(holder, old);
  if (value === null) return;
  if (key === null) throw refuse('invalid_argument', 'metadata key is required');
  const added = prefixed(parseXml(value), key);
  added.attributes.set(`xmlns:${key}`, uri);
  append(holder, added);
}

/** The metadata as text; undefined if there is none. */
export function getMetadata(domain: XmlElement, type: number, uri: string | null): string | undefined {
  if (type === METADATA_TYPE.title) return textOf(domain, 'title');
  if (type === METADATA_TYPE.description) return textOf(domain, 'description');
  const holder = find(domain, 'metadata');
  const found = holder && uri !== null ? elementOf(holder, uri) : undefined;
  return found && formatXml(found);
}

/** The child whose own prefix is bound to `uri`. */
function elementOf(holder: XmlElement, uri: string): XmlElement | undefined {
  return children(holder).find((each) => {
    const prefix = each.name.includes(':') ? (each.name.split(':')[0] ?? '') : null;
    return each.attributes.get(prefix === null ? 'xmlns' : `xmlns:${prefix}`) === uri;
  });
}

/** Elements without a prefix get the key as theirs. */
function prefixed(source: XmlElement, key: string): XmlElement {
  const { attributes } = source;
  attributes.delete('xmlns');
  return {
    name: source.name.includes(':') ? source.name : `${key}:${source.name}`,
    attributes,
    nodes: source.nodes.map((node) => (typeof node === 'string' ? node : prefixed(node, key))),
  };
}
