/**
 * XML text to a tree, strictly and with limits: one root, well formed, no DOCTYPE (no entities of anybody's
 * making), no processing instructions, bounded in bytes and depth. The XML declaration is dropped.
 */
import { SaxesParser } from 'saxes';
import { HandoverError, messageOf } from '../../base/errors.ts';
import type { XmlElement, XmlNode } from './tree.ts';

/** Longer than any string libvirt may send (4 MiB) cannot be. */
const MAX_CHARS = 4 * 1024 * 1024;
/** libvirt's documents are about 12 deep, a VPD or a CPU map included. */
const MAX_DEPTH = 64;

/** Limits of a document; the defaults suit what libvirt sends. */
export interface XmlLimits {
  readonly maxChars?: number;
  readonly maxDepth?: number;
}

/** The root element. Throws `INVALID_INPUT` with line and column. */
export function parseXml(text: string, limits: XmlLimits = {}): XmlElement {
  const maxChars = limits.maxChars ?? MAX_CHARS;
  if (text.length > maxChars) throw invalid(`longer than the ${maxChars} characters allowed`);
  try {
    return build(text, limits.maxDepth ?? MAX_DEPTH);
  } catch (error) {
    throw error instanceof HandoverError ? error : invalid(messageOf(error));
  }
}

function build(text: string, maxDepth: number): XmlElement {
  const parser = new SaxesParser({ xmlns: false, position: true });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  const add = (node: XmlNode) => open.at(-1)?.children.push(node);
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => parser.fail('a DOCTYPE is not allowed'));
  parser.on('processinginstruction', () => parser.fail('a processing instruction is not allowed'));
  parser.on('opentag', (tag) => {
    if (open.length >= maxDepth) parser.fail(`deeper than the ${maxDepth} levels allowed`);
    const attributes = new Map(Object.entries(tag.attributes as Record<string, string>));
    const element: XmlElement = { kind: 'element', name: tag.name, attributes, children: [] };
    add(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => open.pop());
  parser.on('text', (value) => add({ kind: 'text', text: value }));
  parser.on('cdata', (value) => add({ kind: 'text', text: value }));
  parser.on('comment', (value) => add({ kind: 'comment', text: value }));
  parser.write(text).close();
  if (!root) throw invalid('there is no element');
  return root;
}

function invalid(why: string): HandoverError {
  return new HandoverError('INVALID_INPUT', `the XML cannot be read: ${why}`);
}
