/**
 * Looking into and editing an XML tree. Lookups take undefined and give undefined (or nothing), so that a
 * path through optional elements reads as one line: `attr(child(child(root, 'os'), 'type'), 'arch')`.
 */
import type { XmlElement, XmlNode } from './tree.ts';

/** The child elements, with that name if one is given, in order. */
export function children(parent: XmlElement | undefined, name?: string): XmlElement[] {
  if (!parent) return [];
  return parent.children.filter(
    (one): one is XmlElement => one.kind === 'element' && (name === undefined || one.name === name),
  );
}

/** The first child element with that name. */
export function child(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  return children(parent, name)[0];
}

/** All elements below `parent` (not itself), parents before their children. */
export function descendants(parent: XmlElement | undefined): XmlElement[] {
  const found: XmlElement[] = [];
  const stack = children(parent).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    found.push(next);
    stack.push(...children(next).reverse());
  }
  return found;
}

/** An attribute's value. */
export function attr(of: XmlElement | undefined, name: string): string | undefined {
  return of?.attributes.get(name);
}

/** The text directly in an element, without surrounding white space; '' if there is none. */
export function textOf(of: XmlElement | undefined): string {
  if (!of) return '';
  return of.children
    .map((one) => (one.kind === 'text' ? one.text : ''))
    .join('')
    .trim();
}

/** Sets or, with undefined, removes an attribute. A new one comes last. */
export function setAttr(of: XmlElement, name: string, value: string | undefined): void {
  if (value === undefined) of.attributes.delete(name);
  else of.attributes.set(name, value);
}

/** Makes `text` the only content. */
export function setText(of: XmlElement, text: string): void {
  of.children.splice(0, of.children.length, { kind: 'text', text });
}

/** Adds `node` after the last child. */
export function append(parent: XmlElement, node: XmlNode): void {
  parent.children.push(node);
}

/** Puts `replacement` where `old` is; false if `old` is no child of `parent`. */
export function replaceChild(parent: XmlElement, old: XmlNode, replacement: XmlNode): boolean {
  const at = parent.children.indexOf(old);
  if (at >= 0) parent.children[at] = replacement;
  return at >= 0;
}

/** Takes `node` out; false if it is no child of `parent`. */
export function removeChild(parent: XmlElement, node: XmlNode): boolean {
  const at = parent.children.indexOf(node);
  if (at >= 0) parent.children.splice(at, 1);
  return at >= 0;
}

/** A copy that shares nothing with the original. */
export function cloneElement(of: XmlElement): XmlElement {
  return {
    kind: 'element',
    name: of.name,
    attributes: new Map(of.attributes),
    children: of.children.map((one) => (one.kind === 'element' ? cloneElement(one) : { ...one })),
  };
}
