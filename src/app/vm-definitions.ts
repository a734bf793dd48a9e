/**
 * VMs that users make from a definition and remove again. A VM is what a host defines: it is added by
 * defining it there and looking, and never known without its host.
 */
import { until } from '../base/clock.ts';
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { HostId, VmId } from '../base/ids.ts';
import type { NewDefinition } from '../hypervisor/port.ts';
import { isActive } from '../model/domain.ts';
import type { Host } from '../model/host.ts';
import type { Vm } from '../model/vm.ts';
import { hostById, observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { placeOf } from './place.ts';
import type { NewVm, VmChanges } from './use-cases.ts';

const SEEN_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 500;
/** Longer than a few hosts take at most; a removal that died ends then. */
const REMOVAL_LIMIT_MS = 300_000;

/**
 * Defines a VM on a host; it does not run yet. Throws `INVALID_INPUT` for a definition that cannot be used,
 * `ALREADY_EXISTS` for an id, a name or a MAC that is another's, and what libvirt says.
 */
export async function addVm(parts: AppParts, wanted: NewVm): Promise<VmId> {
  const { hypervisors, random } = parts;
  const definition = hypervisors.readDefinition({
    xml: wanted.definition,
    name: wanted.name ?? null,
    id: random.uuid() as VmId,
  });
  const host = await hostFor(parts, wanted.hostId ?? null);
  if (host.status !== 'up')
    throw new HandoverError(
      'HOST_UNREACHABLE',
      `${definition.name} can not be added: host ${host.name} is ${host.status} ` +
        `(${host.statusReason ?? 'no reason known'}); activate it, or name another`,
    );
  const hypervisor = hypervisors.host(host);
  await refuseTwins(parts, definition);
  // One that was defined a moment ago is not known yet, and must not be redefined.
  if ((await hypervisor.inspect(definition.id)) !== null)
    throw new HandoverError(
      'ALREADY_EXISTS',
      `host ${host.name} defines a VM with the id ${definition.id} already; leave the <uuid> out of the ` +
        'definition to get a free one',
    );
  await hypervisor.define(definition);
  await seeIt(parts, host, definition);
  return definition.id;
}

/** A look may be slow, or be overtaken by another that began earlier than the definition. */
async function seeIt(parts: AppParts, host: Host, { id, name }: NewDefinition): Promise<void> {
  const limits = { limitMs: SEEN_LIMIT_MS, everyMs: LOOK_EVERY_MS };
  let reason = 'it was not listed';
  const look = async () => {
    try {
      await observeHost(parts, host.id);
    } catch (thrown) {
      reason = explain(thrown);
    }
    return (await parts.store.vms.get(id)) ? true : undefined;
  };
  await until(parts.clock, 'a look at the new VM', limits, look).catch((thrown: unknown) => {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    throw new HandoverError(
      'HOST_UNREACHABLE',
      `${name} is defined on ${host.name}, and is listed once that can be looked at: ${reason}`,
    );
  });
}

async function hostFor(parts: AppParts, id: HostId | null): Promise<Host> {
  if (id !== null) return hostById(parts, id);
  const [only, ...more] = await parts.store.hosts.list();
  if (only && more.length === 0) return only;
  const known = only ? `: ${[only, ...more].map((host) => host.name).join(', ')}` : '; add one first';
  throw new HandoverError('INVALID_INPUT', `a VM is defined on a host: name the one it shall be on${known}`);
}

async function refuseTwins({ store }: AppParts, { id, name, macs }: NewDefinition): Promise<void> {
  for (const vm of await store.vms.list()) {
    if (vm.id === id)
      throw new HandoverError(
        'ALREADY_EXISTS',
        `the id ${id} is ${vm.name}'s; leave the <uuid> out of the definition to get a free one`,
      );
    if (vm.name === name)
      throw new HandoverError('ALREADY_EXISTS', `there is a VM named ${name} already; choose another name`);
    const vnic = vm.vnics.find((each) => macs.includes(each.mac));
    if (vnic)
      throw new HandoverError(
        'ALREADY_EXISTS',
        `the MAC address ${vnic.mac} is that of ${vnic.name} of ${vm.name}; leave the <mac> out of the ` +
          'definition to get a free one',
      );
  }
}

/** Throws `INVALID_INPUT` for what is not as it is: clients send back a VM they read, whole or in part. */
export function refuseChanges(vm: Vm, changes: VmChanges): void {
  for (const what of ['name', 'memoryKiB', 'vcpus'] as const) {
    const wanted = changes[what];
    if (wanted === undefined || wanted === vm[what]) continue;
    throw new HandoverError(
      'INVALID_INPUT',
      `${what} of ${vm.name} is ${vm[what]} and can not be made ${wanted} here; change the definition on ` +
        'its host (virsh edit), then refresh the host',
    );
  }
}

/**
 * Removes a VM that is down from every host that defines it; its disks stay. Throws `VM_STATUS_WRONG`,
 * `VM_ALREADY_MIGRATING`, and what libvirt says while it has a saved state or snapshots.
 */
export async function removeVm(parts: AppParts, id: VmId): Promise<void> {
  const { store } = parts;
  const { vm } = await placeOf(parts, id);
  if (vm.status !== 'down' || vm.starting) throw isRunning(vm);
  // From here on it is not started: the definition would be written back by that.
  await store.vms.beginRemoval(id, REMOVAL_LIMIT_MS);
  try {
    await removeDefinitions(parts, vm);
    await store.vms.remove(id);
  } catch (thrown) {
    await store.vms.endRemoval(id).catch((kept: unknown) => {
      parts.log.warn('a VM that was not removed can not be started for a while', {
        vm: vm.name,
        error: explain(kept),
      });
    });
    throw thrown;
  }
}

const isRunning = (vm: Vm) =>
  new HandoverError(
    'VM_STATUS_WRONG',
    `Cannot remove VM. VM is running. ${vm.name} is ${vm.starting ? 'being started' : vm.status}; stop it ` +
      `first: handover vm stop ${vm.name}`,
  );

/** From every host that has one: a second definition that was left behind would bring the VM back. */
async function removeDefinitions(parts: AppParts, vm: Vm): Promise<void> {
  const hosts = (await parts.store.hosts.list()).filter(
    (host) => host.id === vm.hostId || host.inventory?.domains.some((domain) => domain.uuid === vm.id),
  );
  for (const host of hosts) {
    const domain = await parts.hypervisors.host(host).inspect(vm.id);
    if (domain && isActive(domain))
      throw new HandoverError(
        'VM_STATUS_WRONG',
        `Cannot remove VM. VM is running. ${vm.name} runs on ${host.name}; stop it first`,
      );
  }
  for (const host of hosts) await parts.hypervisors.host(host).removeDown(vm.id);
}
