/**
 * Ordinary interfaces of a domain: found, plugged and taken out of the definition, as they are written there.
 * Used by `libvirt-host.ts` only.
 */
import { isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import {
  AFFECT,
  attr,
  child,
  children,
  DOMAIN_XML,
  element,
  type LibvirtClient,
  parseXml,
  procedures,
  removeChild,
  writeXml,
  type XmlElement,
} from '../libvirt/index.ts';
import { isUserAlias } from '../model/domain.ts';
import type { BridgedVnic, OrdinaryInterface } from './port.ts';
import { acting, domainRef } from './refusals.ts';
import { parseHostXml } from './xml-values.ts';

const LOOK_LIMIT_MS = 15_000;
const CHANGE_LIMIT_MS = 45_000;

/** See `Hypervisors.interfaceOn`. */
export function interfaceOn({ alias, mac, bridge, model }: BridgedVnic): string {
  return writeXml(
    element('interface', { type: 'bridge' }, [
      element('mac', { address: mac }),
      element('source', { bridge }),
      element('model', { type: model }),
      element('alias', { name: alias }),
    ]),
  );
}

/** See `Hypervisor.ordinaryInterface`. */
export async function ordinaryInterface(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  which: OrdinaryInterface,
): Promise<{ readonly xml: string; readonly isDefined: boolean } | null> {
  const read = async (flags: number) => {
    const args = { dom: domainRef(vmId), flags };
    const call = client.call(procedures.domainGetXmlDesc, args, { timeoutMs: LOOK_LIMIT_MS });
    return findIn((await acting(where, 'describe the domain', call)).xml, which);
  };
  const defined = await read(DOMAIN_XML.inactive);
  if (defined) return { xml: writeXml(defined), isDefined: true };
  const live = await read(0);
  return live && { xml: writeXml(asDefined(live)), isDefined: false };
}

/** See `Hypervisor.plugInterface`. */
export async function plugInterface(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  xml: string,
  to: { readonly live: boolean; readonly config: boolean },
): Promise<void> {
  const flags = (to.live ? AFFECT.live : 0) | (to.config ? AFFECT.config : 0);
  const attach = async (wanted: string) => {
    const args = { dom: domainRef(vmId), xml: wanted, flags };
    const call = client.call(procedures.domainAttachDeviceFlags, args, { timeoutMs: CHANGE_LIMIT_MS });
    await acting(where, 'plug the interface', call);
  };
  try {
    await attach(xml);
  } catch (error) {
    const root = parseXml(xml);
    const address = child(root, 'address');
    if (!address || !isCode(error, 'LIBVIRT_REFUSED')) throw error;
    // Something else may sit at its place by now: then at any. Refused again, the first refusal says why.
    removeChild(root, address);
    await attach(writeXml(root)).catch((again: unknown) => {
      throw isCode(again, 'LIBVIRT_REFUSED') ? error : again;
    });
  }
}

/** See `Hypervisor.undefineInterface`. */
export async function undefineInterface(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  which: OrdinaryInterface,
): Promise<void> {
  const found = await ordinaryInterface(client, where, vmId, which);
  if (!found?.isDefined) return;
  const args = { dom: domainRef(vmId), xml: found.xml, flags: AFFECT.config };
  const call = client.call(procedures.domainDetachDeviceFlags, args, { timeoutMs: CHANGE_LIMIT_MS });
  await acting(where, `take ${which.mac} out of the definition`, call);
}

function findIn(xml: string, { mac, pools }: OrdinaryInterface): XmlElement | null {
  const devices = child(parseHostXml(xml, 'domain'), 'devices');
  const found = children(devices, 'interface').find(
    (each) =>
      attr(child(each, 'mac'), 'address')?.toLowerCase() === mac &&
      attr(each, 'type') !== 'hostdev' &&
      !pools.includes(attr(child(each, 'source'), 'network') ?? ''),
  );
  return found ?? null;
}

/** Without what only a running domain has: a tap that libvirt named, and an alias that it chose. */
function asDefined(live: XmlElement): XmlElement {
  const target = child(live, 'target');
  if (target && /^(vnet|macvtap)\d+$/.test(attr(target, 'dev') ?? '')) removeChild(live, target);
  const alias = child(live, 'alias');
  if (alias && !isUserAlias(attr(alias, 'name') ?? null)) removeChild(live, alias);
  return live;
}
