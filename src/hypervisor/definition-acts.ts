/**
 * Acts on the definition of a domain: what its next start has. The running domain is never touched. Used by
 * `libvirt-host.ts` only.
 */
import { HandoverError, isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { AFFECT, DOMAIN_XML, type LibvirtClient, procedures, UNDEFINE } from '../libvirt/index.ts';
import { definedInterfaceXml, definitionWithVfs, definitionXml } from './domain-edit.ts';
import { readDomainXml } from './domain-xml.ts';
import type { DefinedVf } from './port.ts';
import { acting, domainRef, nullWithoutDomain } from './refusals.ts';

const LOOK_LIMIT_MS = 15_000;
const CHANGE_LIMIT_MS = 45_000;

/** See `Hypervisor.defineVnic`. */
export async function defineVnic(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  plug: DefinedVf,
): Promise<void> {
  if ((await definedVnic(client, where, vmId, plug)) !== null) return;
  const define = (wanted: DefinedVf) =>
    acting(
      where,
      `define ${plug.alias} on VF ${plug.vf}`,
      client.call(
        procedures.domainAttachDeviceFlags,
        { dom: domainRef(vmId), xml: definitionXml(wanted), flags: AFFECT.config },
        { timeoutMs: CHANGE_LIMIT_MS },
      ),
    );
  try {
    await define(plug);
  } catch (error) {
    // Something else of the definition sits at that place: then at any.
    if (plug.guestAddress === null || !isCode(error, 'LIBVIRT_REFUSED')) throw error;
    await define({ ...plug, guestAddress: null });
  }
}

/** See `Hypervisor.undefineVnic`. */
export async function undefineVnic(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  vnic: Pick<DefinedVf, 'mac' | 'definedPool'>,
): Promise<void> {
  const xml = await definedVnic(client, where, vmId, vnic);
  if (xml === null) return;
  const args = { dom: domainRef(vmId), xml, flags: AFFECT.config };
  const call = client.call(procedures.domainDetachDeviceFlags, args, { timeoutMs: CHANGE_LIMIT_MS });
  await acting(where, `take ${vnic.mac} out of the definition`, call);
}

/** The definition's `<interface>` of a VF with this MAC; null if it has none, or there is no definition. */
async function definedVnic(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  vnic: Pick<DefinedVf, 'mac' | 'definedPool'>,
): Promise<string | null> {
  const args = { dom: domainRef(vmId), flags: DOMAIN_XML.inactive };
  const call = client.call(procedures.domainGetXmlDesc, args, { timeoutMs: LOOK_LIMIT_MS });
  return definedInterfaceXml((await acting(where, 'read the definition', call)).xml, vnic);
}

/** See `Hypervisor.setDefinedVfs`. */
export async function setDefinedVfs(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  vnics: readonly DefinedVf[],
): Promise<void> {
  const xml = await acting(where, 'read the definition', readWithSecrets(client, vmId));
  const wanted = definitionWithVfs(xml, vnics);
  if (wanted === definitionWithVfs(xml, [])) return;
  await define(client, where, wanted, 'name VFs in the definition');
}

/** See `Hypervisor.define`. */
export async function define(
  client: LibvirtClient,
  where: string,
  xml: string,
  what = 'define the VM',
): Promise<void> {
  const call = client.call(
    procedures.domainDefineXmlFlags,
    { xml, flags: 0 },
    { timeoutMs: CHANGE_LIMIT_MS },
  );
  await acting(where, what, call);
}

/** See `Hypervisor.removeDown`. */
export async function removeDown(client: LibvirtClient, where: string, vmId: VmId): Promise<void> {
  const xml = await nullWithoutDomain(readWithSecrets(client, vmId));
  if (xml === null) return;
  if (await runs(client, vmId)) throw isRunning(where, vmId);
  const args = { dom: domainRef(vmId), flags: UNDEFINE.keepNvram | UNDEFINE.keepTpm };
  const call = client.call(procedures.domainUndefineFlags, args, { timeoutMs: CHANGE_LIMIT_MS });
  await acting(where, 'remove the definition', call);
  // Started since it was looked at: without its definition it would be gone for good when it ends.
  if (!(await runs(client, vmId))) return;
  await define(client, where, xml, 'define it again');
  throw isRunning(where, vmId);
}

const isRunning = (where: string, vmId: VmId) =>
  new HandoverError('VM_STATUS_WRONG', `VM ${vmId} runs on ${where}; stop it first`);

async function runs(client: LibvirtClient, vmId: VmId): Promise<boolean> {
  const args = { dom: domainRef(vmId), flags: 0 };
  const call = client.call(procedures.domainGetXmlDesc, args, { timeoutMs: LOOK_LIMIT_MS });
  const now = await nullWithoutDomain(call);
  return now !== null && readDomainXml(now.xml).live;
}

/** A definition that is written back without its secrets would lose them. */
async function readWithSecrets(client: LibvirtClient, vmId: VmId): Promise<string> {
  const args = { dom: domainRef(vmId), flags: DOMAIN_XML.inactive | DOMAIN_XML.secure };
  return (await client.call(procedures.domainGetXmlDesc, args, { timeoutMs: LOOK_LIMIT_MS })).xml;
}
