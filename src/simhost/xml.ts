/**
 * The little XML a simulated libvirt needs: a mutable tree, a parser on saxes and libvirt's way of printing.
 *
 * It is its own on purpose: the simulation shares no XML code with the engine it is used to test.
 * Names keep their prefix (`handover:vnics`); comments are dropped; order and unknown elements are preserved.
 */
import { SaxesParser } from 'saxes';
import { refuse } from './refusal.ts';

/** An element; text is in `nodes` as it was written, unescaped. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly nodes: (XmlElement | string)[];
}

/** Builds an element; attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  nodes: readonly (XmlElement | string)[] = [],
): XmlElement {
  const given = new Map<string, string>();
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) given.set(key, String(value));
  }
  return { name, attributes: given, nodes: [...nodes] };
}

/** Parses one document. Refuses with libvirt's code 35 what is not well formed, and any DOCTYPE. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const open: XmlElement[] = [];
  let root: XmlElement | null = null;
  parser.on('error', (error) => {
    throw refuse('xml_malformed', `(document):1: ${error.message}`);
  });
  parser.on('doctype', () => {
    throw refuse('xml_malformed', '(document):1: document type declarations are not allowed');
  });
  parser.on('opentag', (tag) => {
    const made = element(tag.name, tag.attributes as Record<string, string>);
    open.at(-1)?.nodes.push(made);
    root ??= made;
    open.push(made);
  });
  parser.on('closetag', () => {
    const closed = open.pop();
    if (closed) dropLayout(closed);
  });
  const onText = (piece: string) => void open.at(-1)?.nodes.push(piece);
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.write(text).close();
  if (root === null) throw refuse('xml_malformed', '(document):1: Document is empty');
  return root;
}

/** White space between child elements is layout, not content. */
function dropLayout(parent: XmlElement): void {
  if (!parent.nodes.some((node) => typeof node !== 'string')) return;
  const kept = parent.nodes.filter((node) => typeof node !== 'string' || node.trim() !== '');
  parent.nodes.splice(0, parent.nodes.length, ...kept);
}

/**
 * Prints as libvirt does: two blanks a level, single quotes, a newline at the end. `attributes` instead of
 * the root's own.
 */
export function formatXml(root: XmlElement, attributes = root.attributes): string {
  return printed({ ...root, attributes }, '');
}

function printed(at: XmlElement, indent: string): string {
  let text = `${indent}<${at.name}`;
  for (const [name, value] of at.attributes) text += ` ${name}='${escape(value)}'`;
  if (at.nodes.length === 0) return `${text}/>\n`;
  if (at.nodes.every((node) => typeof node === 'string'))
    return `${text}>${escape(at.nodes.join(''))}</${at.name}>\n`;
  text += '>\n';
  const inner = `${indent}  `;
  for (const node of at.nodes)
    text += typeof node === 'string' ? `${inner}${escape(node.trim())}\n` : printed(node, inner);
  return `${text}${indent}</${at.name}>\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
};

const SPECIAL = /[&<>'"]/;

function escape(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(/[&<>'"]/g, (char) => ESCAPES[char] ?? char);
}

/** A deep copy. */
export function cloneXml(source: XmlElement): XmlElement {
  return {
    name: source.name,
    attributes: new Map(source.attributes),
    nodes: source.nodes.map((node) => (typeof node === 'string' ? node : cloneXml(node))),
  };
}

/** Child elements, all or those of one name. */
export function children(parent: XmlElement | undefined, name?: string): XmlElement[] {
  const nodes = parent?.nodes ?? [];
  return nodes.filter(
    (node): node is XmlElement => typeof node !== 'string' && (name === undefined || node.name === name),
  );
}

/** First element along a path of names: `find(domain, 'devices', 'emulator')`. */
export function find(parent: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  let at = parent;
  for (const name of path) at = children(at, name)[0];
  return at;
}

/** An attribute of the element at a path, undefined if either is missing. */
export function attribute(parent: XmlElement | undefined, ...pathAndName: string[]): string | undefined {
  return find(parent, ...pathAndName.slice(0, -1))?.attributes.get(pathAndName.at(-1) ?? '');
}

/** Text of the element at a path, trimmed; undefined if there is no such element. */
export function textOf(parent: XmlElement | undefined, ...path: string[]): string | undefined {
  const at = find(parent, ...path);
  return at?.nodes
    .filter((node) => typeof node === 'string')
    .join('')
    .trim();
}

/** Replaces the text of a child, adding the child at the end if it is missing. */
export function setText(parent: XmlElement, name: string, text: string): void {
  const at = find(parent, name) ?? append(parent, element(name));
  at.nodes.splice(0, at.nodes.length, text);
}

/** Appends and returns the child. */
export function append(parent: XmlElement, child: XmlElement): XmlElement {
  parent.nodes.push(child);
  return child;
}

/** Removes a child element (by identity); false if it was not there. */
export function remove(parent: XmlElement, child: XmlElement): boolean {
  const index = parent.nodes.indexOf(child);
  if (index >= 0) parent.nodes.splice(index, 1);
  return index >= 0;
}
