/**
 * `/vms/ID/nics`: the vNICs of a VM. Added, removed and plugged here; of one that is there its profile may be
 * changed, and whether it is plugged.
 */
import { HandoverError } from '../../base/errors.ts';
import { isUuid, type VnicProfileId } from '../../base/ids.ts';
import type { Vm, Vnic } from '../../model/vm.ts';
import { ABSENT_OF_NIC, absentLinks, absentRoutes } from './absent.ts';
import { notFound } from './look.ts';
import { type Call, created, done, many, one, param, refuseNewId, type Route } from './route.ts';
import { nicType } from './schema/index.ts';
import type { Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

const NICS = 'vms/:vmId/nics';
const INTERFACES = ['e1000', 'e1000e', 'virtio', 'rtl8139'] as const;

/** A vNIC as oVirt shows it: `plugged` is what is wanted, `actual_state` what is. */
export function toNic(vnic: Vnic): Entity<typeof nicType> {
  const href = `vms/${vnic.vmId}/nics/${vnic.id}`;
  const model = INTERFACES.find((each) => each === vnic.model) ?? 'virtio';
  return {
    id: vnic.id,
    href,
    name: vnic.name,
    interface: vnic.passthrough ? 'pci_passthrough' : model,
    linked: true,
    mac: { address: vnic.mac },
    plugged: vnic.plugged,
    synced: true,
    vm: { id: vnic.vmId, href: `vms/${vnic.vmId}` },
    vnic_profile:
      vnic.profileId === null ? null : { id: vnic.profileId, href: `vnicprofiles/${vnic.profileId}` },
    actual_state: vnic.actual,
    virtual_function: vnic.vf,
    migration_blocker: vnic.blocker,
    actions: ['activate', 'deactivate'].map((rel) => ({ rel, href: `${href}/${rel}` })),
    link: absentLinks(href, ABSENT_OF_NIC),
  };
}

async function vnicOf(call: Call): Promise<{ vm: Vm; vnic: Vnic }> {
  const vm = await call.look.vm(param(call, 'vmId'));
  const id = param(call, 'nicId');
  const vnic = vm.vnics.find((each) => each.id === id);
  if (!vnic) throw notFound(`vNIC of ${vm.name}`, id);
  return { vm, vnic };
}

/**
 * Changes the profile, and whether it is plugged. Everything else of an adopted vNIC belongs to the domain's
 * XML: it may be sent back unchanged only.
 */
async function updateNic(call: Call) {
  const { vm, vnic } = await vnicOf(call);
  const given = call.body(nicType);
  refuseNewId(vnic.id, given);
  const now = toNic(vnic);
  for (const name of ['name', 'interface', 'linked'] as const) {
    if (given[name] !== undefined && given[name] !== now[name]) throw unchangeable(vm, vnic, name);
  }
  const mac = given.mac?.address;
  if (mac && mac.toLowerCase() !== vnic.mac) throw unchangeable(vm, vnic, 'mac');
  let updated = vm;
  if (given.vnic_profile !== undefined) {
    const id = given.vnic_profile?.id || null;
    if (id !== null && !isUuid(id)) throw badRequest(`vnic_profile id ${JSON.stringify(id)} is not a UUID`);
    updated = await call.useCases.setVnicProfile(call.caller, vm.id, vnic.id, id as VnicProfileId | null);
  }
  if (given.plugged !== undefined && given.plugged !== null && given.plugged !== vnic.plugged)
    updated = await call.useCases.setVnicPlugged(call.caller, vm.id, vnic.id, given.plugged);
  return one(nicType, toNic(updated.vnics.find((each) => each.id === vnic.id) ?? vnic));
}

async function addNic(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  const given = call.body(nicType);
  const profileId = given.vnic_profile?.id;
  if (!given.name) throw badRequest('Nic [name] required for add', 'Incomplete parameters');
  // oVirt: virtio unless said otherwise.
  const type = given.interface ?? 'virtio';
  const model = INTERFACES.find((each) => each === type) ?? null;
  if (model === null && type !== 'pci_passthrough')
    throw badRequest(`a nic of the interface ${type} can not be made here; use virtio`);
  if (!profileId || !isUuid(profileId))
    throw badRequest('Nic [vnic_profile.id] required for add', 'Incomplete parameters');
  if (given.linked === false)
    throw badRequest(
      model === null
        ? 'Unlinking of a passthrough vNIC is not supported.'
        : 'a nic is linked when it is made; leave "linked" out, or add it with plugged=false',
    );
  const vnic = await call.useCases.addVnic(call.caller, vm.id, {
    name: given.name,
    profileId: profileId as VnicProfileId,
    model,
    mac: given.mac?.address ?? null,
    plugged: given.plugged ?? true,
  });
  return created(nicType, toNic(vnic));
}

async function removeNic(call: Call) {
  const { vm, vnic } = await vnicOf(call);
  await call.useCases.removeVnic(call.caller, vm.id, vnic.id);
  return done();
}

const plugAction = (plugged: boolean) => async (call: Call) => {
  const { vm, vnic } = await vnicOf(call);
  await call.useCases.setVnicPlugged(call.caller, vm.id, vnic.id, plugged);
  return done();
};

function unchangeable(vm: Vm, vnic: Vnic, what: string): HandoverError {
  return new HandoverError(
    'INVALID_INPUT',
    `${what} of ${vnic.name} of ${vm.name} can not be changed here, only its vnic_profile and plugged; ` +
      "change it in the domain's definition on its host",
  );
}

/** Routes of a VM's nics. */
export const vmNicRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: NICS,
    run: async (call) => many(nicType, (await call.look.vm(param(call, 'vmId'))).vnics.map(toNic)),
  },
  {
    method: 'GET',
    path: `${NICS}/:nicId`,
    run: async (call) => one(nicType, toNic((await vnicOf(call)).vnic)),
  },
  {
    method: 'POST',
    path: `${NICS}/:nicId/activate`,
    needs: 'use_vms',
    operation: 'activate_vm_nic',
    isAction: true,
    run: plugAction(true),
  },
  {
    method: 'POST',
    path: `${NICS}/:nicId/deactivate`,
    needs: 'use_vms',
    operation: 'deactivate_vm_nic',
    isAction: true,
    run: plugAction(false),
  },
  ...absentRoutes(`${NICS}/:nicId`, ABSENT_OF_NIC, vnicOf),
  { method: 'POST', path: NICS, needs: 'use_vms', operation: 'add_vm_nic', run: addNic },
  { method: 'DELETE', path: `${NICS}/:nicId`, needs: 'use_vms', operation: 'remove_vm_nic', run: removeNic },
  { method: 'PUT', path: `${NICS}/:nicId`, needs: 'use_vms', operation: 'update_vm_nic', run: updateNic },
];
