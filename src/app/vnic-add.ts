/**
 * vNICs, on VFs or ordinary ones, that users give to a VM and take from it for good. A new one is plugged as
 * any other is (`vnic-plug.ts`); one that cannot be is not left behind.
 */
import { explain, HandoverError } from '../base/errors.ts';
import { type Mac, parseMac, type VmId, type VnicId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { vmById } from './facts.ts';
import { jobInTheWay, refuseWhileMoving } from './live-job.ts';
import { hostById } from './observe-host.ts';
import { whichOf } from './ordinary-vnics.ts';
import type { AppParts } from './parts.ts';
import type { NewVnic } from './use-cases.ts';
import { setVnicPlugged } from './vnic-plug.ts';

/** QEMU's own range of locally made addresses. */
const MAC_PREFIX = '52:54:00';
/** Two of sixteen million rarely meet. */
const MACS_TRIED_MAX = 10;

/**
 * Adds one. Throws `INVALID_INPUT`, `VNIC_PROFILE_MISMATCH` for a profile of the other kind, `ALREADY_EXISTS`
 * for a name or MAC that is taken, and what plugging throws; nothing is added then.
 */
export async function addVnic(parts: AppParts, vmId: VmId, wanted: NewVnic): Promise<VnicId> {
  refuseWhileMoving(await jobInTheWay(parts, vmId));
  const vm = await vmById(parts, vmId);
  const vnic = await newVnic(parts, vm, wanted);
  await parts.store.vms.addVnic(vnic);
  if (wanted.plugged === false) return vnic.id;
  try {
    await setVnicPlugged(parts, vm.id, vnic.id, true);
  } catch (thrown) {
    // While it is being plugged all the same it stays: not desired, it is taken out again.
    await parts.store.vms.removeVnic(vnic.id).catch((kept: unknown) => {
      parts.log.warn('a vNIC that was not added is left unplugged', {
        vnic: wanted.name,
        error: explain(kept),
      });
    });
    throw thrown;
  }
  return vnic.id;
}

async function newVnic(parts: AppParts, vm: Vm, wanted: NewVnic): Promise<Vnic> {
  const { model } = wanted;
  const profile = await parts.store.profiles.get(wanted.profileId);
  if (!profile) throw new HandoverError('NOT_FOUND', `there is no vNIC profile ${wanted.profileId}`);
  if (profile.passThrough !== (model === null))
    throw new HandoverError(
      'VNIC_PROFILE_MISMATCH',
      `The network interface type doesn't match the profile. Virtual machine interface of type 'PCI ` +
        `Passthrough' should have 'Passthrough' profile and vice versa. ${profile.name} is ` +
        `${profile.passThrough ? 'a passthrough' : 'an ordinary'} profile`,
    );
  const network = await parts.store.networks.get(profile.networkId);
  const id = parts.random.uuid() as VnicId;
  const alias = `ua-${id}`;
  const mac = await macFor(parts, wanted.mac ?? null);
  const bridge = model === null ? null : await bridgeFor(parts, vm, network?.name ?? '');
  return {
    id,
    vmId: vm.id,
    name: checkedName(wanted.name),
    alias,
    mac,
    passthrough: model === null,
    model,
    bridge,
    profileId: profile.id,
    plugged: false,
    kept: true,
    actual: 'unplugged',
    vf: null,
    managed: true,
    // Of an ordinary one it is the bridge's business.
    vlan: model === null ? (network?.vlan ?? null) : null,
    guestAddress: null,
    traitsXml: '',
    pool: null,
    unpluggedXml:
      model === null || bridge === null ? null : parts.hypervisors.interfaceOn({ alias, mac, bridge, model }),
    blocker: null,
  };
}

/** A network is carried by the bridge of its name. */
async function bridgeFor(parts: AppParts, vm: Vm, network: string): Promise<string> {
  const host = vm.hostId === null ? null : await hostById(parts, vm.hostId);
  const bridges = host?.inventory?.bridges.map((bridge) => bridge.name) ?? [];
  // Without a host channel nobody can tell; libvirt then says so.
  if (host === null || !host.inventory?.channel.works || bridges.includes(network)) return network;
  throw new HandoverError(
    'INVALID_INPUT',
    `host ${host.name} has no bridge ${network}, which would carry the network ${network}; make one there, ` +
      `then refresh the host (it has: ${bridges.join(', ') || 'none'})`,
  );
}

/** Removes one for good, from the definition too. Throws `IN_USE` while a running guest has it. */
export async function removeVnic(parts: AppParts, vmId: VmId, vnicId: VnicId): Promise<void> {
  refuseWhileMoving(await jobInTheWay(parts, vmId));
  const vm = await vmById(parts, vmId);
  const vnic = vm.vnics.find((each) => each.id === vnicId);
  if (!vnic) throw new HandoverError('NOT_FOUND', `${vm.name} has no vNIC with the id ${vnicId}`);
  if (vm.starting)
    throw new HandoverError(
      'VM_STATUS_WRONG',
      `vNIC ${vnic.name} can not be removed while ${vm.name} starts; wait until it is up`,
    );
  if (vm.status !== 'down' && vnic.actual !== 'unplugged')
    throw new HandoverError(
      'IN_USE',
      `vNIC ${vnic.name} is plugged in ${vm.name}, which is ${vm.status}; unplug it first: handover vm nic ` +
        `unplug ${vm.name} ${vnic.name}`,
    );
  if (vm.hostId !== null) {
    const host = await hostById(parts, vm.hostId);
    const hypervisor = parts.hypervisors.host(host);
    if ((await hypervisor.inspect(vm.id))?.persistent) {
      if (!vnic.passthrough) await hypervisor.undefineInterface(vm.id, whichOf(vm, vnic));
      else await hypervisor.undefineVnic(vm.id, { mac: vnic.mac, definedPool: vnic.pool });
    }
  }
  await parts.store.vms.removeVnic(vnicId);
}

function checkedName(name: string): string {
  const trimmed = name.trim();
  if (/^[\w.-]{1,50}$/.test(trimmed)) return trimmed;
  throw new HandoverError(
    'INVALID_INPUT',
    `a vNIC is named by 1 to 50 letters, digits, dots, dashes and underscores, not ${JSON.stringify(name)}`,
  );
}

async function macFor({ store, random }: AppParts, given: string | null): Promise<Mac> {
  const taken = new Set((await store.vms.list()).flatMap((vm) => vm.vnics.map((vnic) => vnic.mac)));
  if (given === null) return freeMac(random, taken);
  const mac = parseMac(given);
  if (mac === null || Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    throw new HandoverError('INVALID_INPUT', `${JSON.stringify(given)} is no MAC address of one interface`);
  if (taken.has(mac))
    throw new HandoverError('ALREADY_EXISTS', `the MAC address ${mac} is another vNIC's; choose another`);
  return mac;
}

function freeMac(random: Random, taken: ReadonlySet<Mac>): Mac {
  for (let tried = 0; tried < MACS_TRIED_MAX; tried++) {
    const digits = random.uuid().replaceAll('-', '').slice(-6);
    const mac = `${MAC_PREFIX}:${(digits.match(/../g) ?? []).join(':')}` as Mac;
    if (!taken.has(mac)) return mac;
  }
  throw new HandoverError('ALREADY_EXISTS', 'no free MAC address was found; name one');
}
