/**
 * XML as a small mutable tree: elements, text and comments in document order, so that what is not understood
 * survives an edit untouched. Names are kept as written, prefix included; namespaces are attributes like any
 * other.
 */

/** An element; its attributes and children may be changed in place. */
export interface XmlElement {
  readonly kind: 'element';
  /** As written, with its prefix. */
  readonly name: string;
  /** In document order, values decoded. */
  readonly attributes: Map<string, string>;
  readonly children: XmlNode[];
}

/** Text between tags. */
export interface XmlText {
  readonly kind: 'text';
  /** Decoded; white space between elements included. */
  readonly text: string;
}

/** A comment. */
export interface XmlComment {
  readonly kind: 'comment';
  readonly text: string;
}

/** Whatever may stand in an element. */
export type XmlNode = XmlElement | XmlText | XmlComment;

/** A new element. Strings among `content` become text. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  content: readonly (XmlNode | string)[] = [],
): XmlElement {
  return {
    kind: 'element',
    name,
    attributes: new Map(Object.entries(attributes)),
    children: content.map((one) => (typeof one === 'string' ? { kind: 'text', text: one } : one)),
  };
}
