/** What a user changes, a VM or one of its vNICs, and the host that has it. */
import { HandoverError } from '../base/errors.ts';
import type { VmId, VnicId } from '../base/ids.ts';
import type { Host } from '../model/host.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { vmById } from './facts.ts';
import { jobInTheWay, refuseWhileMoving } from './live-job.ts';
import { hostById } from './observe-host.ts';
import type { AppParts } from './parts.ts';

/** A VM and the host it is on, of one moment. */
export interface Place {
  readonly host: Host;
  readonly vm: Vm;
}

/** One of its vNICs, too. */
export interface VnicPlace extends Place {
  readonly vnic: Vnic;
}

/** As they are now. Throws `VM_ALREADY_MIGRATING`, `NOT_FOUND`, `VM_STATUS_WRONG` if the VM is on no host. */
export async function placeOf(parts: AppParts, vmId: VmId): Promise<Place> {
  refuseWhileMoving(await jobInTheWay(parts, vmId));
  const vm = await vmById(parts, vmId);
  if (vm.hostId === null)
    throw new HandoverError('VM_STATUS_WRONG', `${vm.name} is on no host that answers; look at its hosts`);
  return { vm, host: await hostById(parts, vm.hostId) };
}

/** The same with one of its vNICs. */
export async function vnicPlaceOf(parts: AppParts, vmId: VmId, vnicId: VnicId): Promise<VnicPlace> {
  const place = await placeOf(parts, vmId);
  const vnic = place.vm.vnics.find((each) => each.id === vnicId);
  if (vnic) return { ...place, vnic };
  throw new HandoverError('NOT_FOUND', `${place.vm.name} has no vNIC with the id ${vnicId}`);
}

/** The vNIC as it is known now; undefined if it is gone. */
export async function vnicNow(parts: AppParts, { vm, vnic }: VnicPlace): Promise<Vnic | undefined> {
  return (await parts.store.vms.get(vm.id))?.vnics.find((each) => each.id === vnic.id);
}
