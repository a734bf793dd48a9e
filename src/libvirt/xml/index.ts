/** XML of libvirt: parse, look, edit, write. */
export { parseXml, type XmlLimits } from './parse.ts';
export {
  append,
  attr,
  child,
  children,
  cloneElement,
  descendants,
  removeChild,
  replaceChild,
  setAttr,
  setText,
  textOf,
} from './query.ts';
export { element, type XmlComment, type XmlElement, type XmlNode, type XmlText } from './tree.ts';
export { escapeText, writeXml } from './write.ts';
