/** The use cases on the guest's side of VMs. */
import { isIP } from 'node:net';
import { HandoverError } from '../base/errors.ts';
import { type GuestRecord, STANDBY_POLICIES, type StandbyPolicy } from '../model/guest.ts';
import { drillVm, lastDrill } from './drill.ts';
import { vmById } from './facts.ts';
import { checkGuest, guestRecord } from './guest.ts';
import type { AppParts } from './parts.ts';
import type { KnownGuest, UseCases } from './use-cases.ts';

/** Wires them. */
export function guestCases(
  parts: AppParts,
): Pick<UseCases, 'getGuest' | 'checkGuest' | 'setStandbyPolicy' | 'setProbeAddress' | 'drillVm'> {
  const known = async (record: GuestRecord): Promise<KnownGuest> => ({
    ...record,
    lastDrill: await lastDrill(parts, record.vmId),
  });
  return {
    async getGuest(_caller, vmId) {
      await vmById(parts, vmId);
      return known(await guestRecord(parts, vmId));
    },
    checkGuest: async (_caller, vmId) => known(await checkGuest(parts, vmId)),
    drillVm: (caller, vmId) => drillVm(parts, caller, vmId),
    async setStandbyPolicy(_caller, vmId, given) {
      await vmById(parts, vmId);
      const standby = standbyPolicyOf(given);
      await parts.store.guests.setStandby(vmId, standby);
      return known(await guestRecord(parts, vmId));
    },
    async setProbeAddress(_caller, vmId, address) {
      await vmById(parts, vmId);
      if (address !== null && isIP(address) === 0)
        throw new HandoverError(
          'INVALID_INPUT',
          `${address.slice(0, 60)} is no IP address; give one of the VM`,
        );
      await parts.store.guests.setProbeAddress(vmId, address);
      return known(await guestRecord(parts, vmId));
    },
  };
}

/** Throws `INVALID_INPUT` if it is none. */
export function standbyPolicyOf(given: string): StandbyPolicy {
  const policy = STANDBY_POLICIES.find((each) => each === given);
  if (policy) return policy;
  const shown = given.slice(0, 60);
  throw new HandoverError(
    'INVALID_INPUT',
    `"${shown}" is no standby policy; use ${STANDBY_POLICIES.join(', ')}`,
  );
}
