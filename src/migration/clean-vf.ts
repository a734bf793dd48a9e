/** What is left to do on a host once a guest gave a VF back. Callers: the unplug step, `app/take-out.ts`. */
import { HandoverError } from '../base/errors.ts';
import type { Mac, PciAddress } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import { isEmptyMac, type VfAttributes } from '../model/pf.ts';

/** A vNIC that is out of its domain, and the VF it had. */
export interface LeftVf {
  readonly name: string;
  readonly mac: Mac;
  readonly vlan: number | null;
  readonly managed: boolean;
  readonly vf: PciAddress;
}

/**
 * Makes sure the VF no longer carries the VM's MAC and VLAN; a driver that keeps them would put one MAC on
 * two links. Throws `HOST_COMMAND_FAILED` if it keeps them.
 */
export async function cleanVf(hypervisor: Hypervisor, hostName: string, left: LeftVf): Promise<void> {
  if (!left.managed) await hypervisor.reattachVf(left.vf);
  const attributes = await hypervisor.vfAttributes(left.vf);
  // Unknown is not fine, but nothing can be done about it without a host channel; libvirt resets most
  // drivers' VFs itself.
  if (attributes === null || isClean(attributes, left)) return;
  await hypervisor.resetVf(left.vf);
  const after = await hypervisor.vfAttributes(left.vf);
  if (!after || isClean(after, left)) return;
  throw new HandoverError(
    'HOST_COMMAND_FAILED',
    `VF ${left.vf} on ${hostName} keeps the MAC ${after.mac} or VLAN ${after.vlan} of vNIC ${left.name}`,
  );
}

const isClean = (seen: VfAttributes, { mac, vlan }: LeftVf): boolean =>
  (isEmptyMac(seen.mac) || seen.mac !== mac) && (vlan === null || seen.vlan !== vlan);
