/** Acts on VFs of a running domain, and on VFs of the host itself. The definition is never touched. */
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import type { PciAddress, VmId } from '../base/ids.ts';
import {
  AFFECT,
  isLibvirtCode,
  LIBVIRT_CODE,
  type LibvirtClient,
  libvirtCodeOf,
  libvirtMessageOf,
  procedures,
} from '../libvirt/index.ts';
import { lookAtNets } from './device-look.ts';
import { interfaceXml } from './domain-edit.ts';
import { readDomainXml } from './domain-xml.ts';
import type { HostChannel } from './host-channel.ts';
import { nodeDeviceName } from './names.ts';
import type { VfPlug } from './port.ts';
import { acting, domainRef } from './refusals.ts';
import { findVfPlace } from './vf-look.ts';

const LOOK_LIMIT_MS = 15_000;
/** 1 to 2 s in the lab; minutes with very large guests whose memory is mapped for the device. */
const PLUG_LIMIT_MS = 180_000;
/** The same, and what else a QEMU with much memory takes. */
const START_LIMIT_MS = 240_000;
/** Returns in 10 ms; waits while another job holds the domain (libvirt gives up after 30 s, code 68). */
const ASK_LIMIT_MS = 45_000;
/** Unbinding waits for whoever uses the netdev. */
const BIND_LIMIT_MS = 60_000;
/** The driver name of libvirt's node device detach; it picks vfio-pci or a variant of it. */
const VFIO = 'vfio';

/** See `Hypervisor.requestUnplug`. `look` is for quick questions, `work` for asking. */
export async function requestUnplug(
  look: LibvirtClient,
  work: LibvirtClient,
  where: string,
  vmId: VmId,
  alias: string,
): Promise<void> {
  const what = `ask for ${alias} back`;
  const ask = { dom: domainRef(vmId), alias, flags: AFFECT.live };
  try {
    await work.call(procedures.domainDetachDeviceAlias, ask, { timeoutMs: ASK_LIMIT_MS });
  } catch (error) {
    if (alreadyAsked(error)) return;
    if (libvirtCodeOf(error) === undefined) throw error;
    // Given back between the caller's look and now; libvirt says "internal error" for an alias it does not
    // find.
    const live = await acting(where, what, readLive(look, vmId));
    if (!readDomainXml(live).interfaces.some((each) => each.alias === alias)) return;
    await acting(where, what, Promise.reject(error));
  }
}

/** QEMU has no code for it (GenericError): the guest was asked and did not answer yet. */
function alreadyAsked(error: unknown): boolean {
  return (
    isLibvirtCode(error, LIBVIRT_CODE.internal, LIBVIRT_CODE.operationFailed) &&
    /already in the process of unplug/.test(libvirtMessageOf(error) ?? '')
  );
}

/** See `Hypervisor.plug`. `look` is for quick questions, `work` for the attach itself. */
export async function plugVf(
  look: LibvirtClient,
  work: LibvirtClient,
  where: string,
  vmId: VmId,
  plug: VfPlug,
): Promise<{ guestAddress: PciAddress | null }> {
  if (!plug.managed) await detachFromHost(work, where, plug.vf);
  try {
    await attachAtBest(look, work, where, vmId, plug);
  } catch (error) {
    // Only a refusal proves that the domain has not got it; after a lost answer the VF may be in use.
    if (!plug.managed && isCode(error, 'LIBVIRT_REFUSED', 'NOT_FOUND'))
      await giveBack(work, where, plug.vf, error);
    throw error;
  }
  return { guestAddress: await addressGot(look, where, vmId, plug) };
}

/**
 * At its place in the guest, or at any if something sits there. Tried before looking: the guest may have just
 * arrived, and a look at an arriving domain waits for libvirt while the guest is without its VF.
 */
async function attachAtBest(
  look: LibvirtClient,
  work: LibvirtClient,
  where: string,
  vmId: VmId,
  plug: VfPlug,
): Promise<void> {
  const attach = (xml: string) =>
    acting(
      where,
      `plug VF ${plug.vf} as ${plug.alias}`,
      work.call(
        procedures.domainAttachDeviceFlags,
        { dom: domainRef(vmId), xml, flags: AFFECT.live },
        { timeoutMs: PLUG_LIMIT_MS },
      ),
    );
  try {
    await attach(interfaceXml(plug));
  } catch (error) {
    if (plug.guestAddress === null || !isCode(error, 'LIBVIRT_REFUSED')) throw error;
    const live = await readLive(look, vmId).catch(() => null);
    if (live === null || slotIsFree(live, plug.guestAddress)) throw error;
    await attach(interfaceXml({ ...plug, guestAddress: null }));
  }
}

async function readLive(client: LibvirtClient, vmId: VmId): Promise<string> {
  const live = { dom: domainRef(vmId), flags: 0 };
  return (await client.call(procedures.domainGetXmlDesc, live, { timeoutMs: LOOK_LIMIT_MS })).xml;
}

/** A slot with any function taken cannot be hot-plugged into. */
function slotIsFree(liveXml: string, wanted: PciAddress): boolean {
  const slot = wanted.slice(0, -1);
  return ![...readDomainXml(liveXml).guestAddresses].some((taken) => taken.startsWith(slot));
}

/** The plug has happened: not being able to look is an unknown outcome, whatever the look itself says. */
async function addressGot(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  plug: VfPlug,
): Promise<PciAddress | null> {
  try {
    const live = await readLive(client, vmId);
    return readDomainXml(live).interfaces.find((each) => each.alias === plug.alias)?.guestAddress ?? null;
  } catch (cause) {
    throw new HandoverError(
      'REPLY_LOST',
      `${where} plugged VF ${plug.vf}, but could not be looked at after it`,
      {
        cause,
      },
    );
  }
}

async function detachFromHost(client: LibvirtClient, where: string, vf: PciAddress): Promise<void> {
  await acting(
    where,
    `take VF ${vf} from its host driver`,
    client.call(
      procedures.nodeDeviceDetachFlags,
      { name: nodeDeviceName(vf), driver: VFIO, flags: 0 },
      { timeoutMs: BIND_LIMIT_MS },
    ),
  );
}

/**
 * The failed attach is what the caller must hear; that the VF is not back with its driver either is added to
 * it.
 */
async function giveBack(client: LibvirtClient, where: string, vf: PciAddress, cause: unknown): Promise<void> {
  try {
    await reattachVf(client, where, vf);
  } catch (error) {
    throw new HandoverError(
      'REPLY_LOST',
      `VF ${vf} was neither plugged nor given back to its host driver: ${messageOf(error)}`,
      { cause },
    );
  }
}

/** See `Hypervisor.reattachVf`. */
export async function reattachVf(client: LibvirtClient, where: string, vf: PciAddress): Promise<void> {
  const call = client.call(
    procedures.nodeDeviceReAttach,
    { name: nodeDeviceName(vf) },
    { timeoutMs: BIND_LIMIT_MS },
  );
  try {
    await acting(where, `give VF ${vf} back to its host driver`, call);
  } catch (error) {
    if (isLibvirtCode(error, LIBVIRT_CODE.noNodeDevice)) throw noSuchVf(where, vf);
    throw error;
  }
}

/** See `Hypervisor.resetVf`. */
export async function resetVf(
  client: LibvirtClient,
  channel: HostChannel,
  where: string,
  vf: PciAddress,
): Promise<void> {
  const place = await findVfPlace(client, vf);
  if (!place) throw noSuchVf(where, vf);
  await channel.resetVf(place.pf, place.index);
}

/** See `Hypervisor.setVfCount`. */
export async function setVfCount(
  client: LibvirtClient,
  channel: HostChannel,
  where: string,
  pf: PciAddress,
  count: number,
): Promise<void> {
  const net = (await lookAtNets(client)).find((each) => each.pciAddress === pf);
  if (!net) throw new HandoverError('NOT_FOUND', `${where} has no network device at ${pf}`);
  await channel.setVfCount(net.name, count);
}

function noSuchVf(where: string, vf: PciAddress): HandoverError {
  return new HandoverError('NOT_FOUND', `${where} has no VF ${vf} with a network device above it`);
}

/** See `Hypervisor.start`. */
export async function startDomain(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  unmanaged: readonly PciAddress[],
): Promise<void> {
  const detached: PciAddress[] = [];
  try {
    for (const vf of unmanaged) {
      await detachFromHost(client, where, vf);
      detached.push(vf);
    }
    const args = { dom: domainRef(vmId), flags: 0 };
    const call = client.call(procedures.domainCreateWithFlags, args, { timeoutMs: START_LIMIT_MS });
    await acting(where, 'start the domain', call);
  } catch (error) {
    // Only a refusal proves that the domain has not got them.
    if (!isCode(error, 'LIBVIRT_REFUSED', 'NOT_FOUND')) throw error;
    // All of them, also where one cannot be given back.
    const given = await Promise.allSettled(detached.map((vf) => giveBack(client, where, vf, error)));
    const failed = given.find((each) => each.status === 'rejected');
    throw failed ? failed.reason : error;
  }
}
