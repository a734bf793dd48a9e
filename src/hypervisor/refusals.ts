/**
 * What libvirt refuses, in Handover's words. Pure. Matches on libvirt's code, which is stable, wherever a
 * code exists.
 */
import { HandoverError } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import {
  type Domain as DomainRef,
  isLibvirtCode,
  LIBVIRT_CODE,
  libvirtCodeOf,
  libvirtMessageOf,
} from '../libvirt/index.ts';

/** VIR_ERR_MIGRATE_UNSAFE: a cache mode or storage that could lose writes. */
const MIGRATE_UNSAFE = 81;
/** What begin3 answers when the domain may not move as it is now. */
const BLOCKER_CODES: readonly number[] = [
  LIBVIRT_CODE.operationInvalid,
  LIBVIRT_CODE.operationUnsupported,
  LIBVIRT_CODE.configUnsupported,
  LIBVIRT_CODE.noSupport,
  MIGRATE_UNSAFE,
];

/** A daemon finds domains by UUID; name and id do not matter to it. */
export const domainRef = (vmId: VmId): DomainRef => ({ name: vmId, uuid: vmId, id: -1 });

/** `pending`, or null if libvirt knows no such domain. */
export async function nullWithoutDomain<T>(pending: Promise<T>): Promise<T | null> {
  return nullOn(pending, LIBVIRT_CODE.noDomain);
}

/** `pending`, or null if libvirt refused with one of `codes`. */
export async function nullOn<T>(pending: Promise<T>, ...codes: number[]): Promise<T | null> {
  try {
    return await pending;
  } catch (error) {
    if (isLibvirtCode(error, ...codes)) return null;
    throw error;
  }
}

/**
 * Awaits an act on a domain. `what` finishes "host-a refused to ...". A missing domain is `NOT_FOUND`; any
 * other refusal keeps libvirt's code in `detail.libvirtCode` and its text in the message.
 */
export async function acting<T>(where: string, what: string, pending: Promise<T>): Promise<T> {
  try {
    return await pending;
  } catch (error) {
    if (isLibvirtCode(error, LIBVIRT_CODE.noDomain)) {
      throw new HandoverError('NOT_FOUND', `${where} cannot ${what}: it does not know this domain`, {
        cause: error,
      });
    }
    if (libvirtCodeOf(error) === undefined) throw error;
    const refused = error as HandoverError;
    throw new HandoverError('LIBVIRT_REFUSED', `${where} refused to ${what}: ${libvirtMessageOf(error)}`, {
      detail: refused.detail,
    });
  }
}

/** The reasons in a refusal of begin3, one text each; null if the error means something else. */
export function migrationBlockersOf(error: unknown): string[] | null {
  if (!isLibvirtCode(error, ...BLOCKER_CODES)) return null;
  const text = libvirtMessageOf(error) ?? '';
  // libvirt puts its own class of error and a fixed phrase before QEMU's joined reasons.
  const reasons = text.replace(/^.*cannot migrate domain: /, '').split('; ');
  return reasons.map((reason) => reason.trim()).filter((reason) => reason !== '');
}
