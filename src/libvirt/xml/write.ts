/**
 * A tree to XML text, in libvirt's style (single quotes). What was parsed comes out the same, entity spelling
 * aside.
 */
import type { XmlNode } from './tree.ts';

/** The text of a node and all below it; no declaration, no added white space. */
export function writeXml(node: XmlNode): string {
  if (node.kind === 'text') return escapeText(node.text);
  if (node.kind === 'comment') return `<!--${node.text}-->`;
  let tag = `<${node.name}`;
  for (const [name, value] of node.attributes) tag += ` ${name}='${escapeAttribute(value)}'`;
  if (node.children.length === 0) return `${tag}/>`;
  return `${tag}>${node.children.map(writeXml).join('')}</${node.name}>`;
}

/** `text` as it may stand between tags. */
export function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (char) => ENTITIES[char] ?? char);
}

/** `text` as it may stand in an attribute; line ends and tabs would otherwise become spaces. */
function escapeAttribute(text: string): string {
  return text.replace(/[&<>'"\r\n\t]/g, (char) => ENTITIES[char] ?? char);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};
