/**
 * What the two sides of a migration tell each other, in libvirt's form: an XML document, opaque to the client
 * between them.
 */
import type { SimDomain } from './domain.ts';
import type { SimHost } from './host.ts';
import { refuse } from './refusal.ts';
import { attribute, children, element, find, formatXml, parseXml, textOf, type XmlElement } from './xml.ts';

export interface MigrationCookie {
  readonly hostname: string;
  readonly hostUuid: string;
  readonly persistentXml: string | null;
}

/** A cookie of this host; `persistent` is the definition that goes along. */
export function cookieFor(host: SimHost, domain: SimDomain, persistent: XmlElement | null): Uint8Array {
  const root = element('qemu-migration', {}, [
    element('name', {}, [domain.name]),
    element('uuid', {}, [domain.uuid]),
    element('hostname', {}, [host.name]),
    element('hostuuid', {}, [host.spec.uuid]),
    ...(persistent
      ? [element('feature', { name: 'persistent' }), element('persistent', {}, [persistent])]
      : []),
  ]);
  return Buffer.from(`${formatXml(root)}\0`, 'utf8');
}

/** Reads a cookie of another host. Refuses what is none. */
export function readCookie(bytes: Uint8Array): MigrationCookie {
  if (bytes.length === 0) throw refuse('internal', 'missing migration cookie data');
  const root = parseXml(Buffer.from(bytes).toString('utf8').replace(/\0+$/, ''));
  if (root.name !== 'qemu-migration') throw refuse('internal', 'migration cookie was not understood');
  const persistent = children(find(root, 'persistent'))[0];
  return {
    hostname: textOf(root, 'hostname') ?? '',
    hostUuid: textOf(root, 'hostuuid') ?? attribute(root, 'uuid') ?? '',
    persistentXml: persistent ? formatXml(persistent) : null,
  };
}
