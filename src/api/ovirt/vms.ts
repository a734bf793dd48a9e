/**
 * `/vms` and `/vms/ID/nics`: VMs as they were adopted, their vNICs, and the one thing that may be changed: a
 * vNIC's profile.
 */
import { HandoverError } from '../../base/errors.ts';
import { isUuid, type VmId, type VnicProfileId } from '../../base/ids.ts';
import type { Vm, Vnic } from '../../model/vm.ts';
import { clusterRef } from './default-cluster.ts';
import { notFound } from './look.ts';
import { ABSENT_OF_NIC, ABSENT_OF_VM, absentLinks, absentRoutes } from './absent.ts';
import { type Call, created, done, many, one, param, refuseNewId, type Route } from './route.ts';
import { nicType, vmType } from './schema/index.ts';
import { BLANK_TEMPLATE_ID } from './stable-id.ts';
import type { AnyEntity, Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

const INTERFACES = ['e1000', 'e1000e', 'virtio', 'rtl8139'] as const;

/** A VM as oVirt shows it. What libvirt does not tell is filled with what clients need to be there. */
export function toVm(vm: Vm): Entity<typeof vmType> {
  const href = `vms/${vm.id}`;
  const memory = vm.memoryKiB * 1024;
  return {
    id: vm.id,
    href,
    name: vm.name,
    bios: { type: 'cluster_default', boot_menu: { enabled: false } },
    cluster: clusterRef,
    cpu: { architecture: 'x86_64', topology: { cores: vm.vcpus, sockets: 1, threads: 1 } },
    delete_protected: false,
    display: { type: 'vnc', monitors: 1, smartcard_enabled: false, allow_override: false },
    high_availability: { enabled: false, priority: 0 },
    host: vm.hostId === null ? null : { id: vm.hostId, href: `hosts/${vm.hostId}` },
    io: { threads: 0 },
    memory,
    memory_policy: { guaranteed: memory, ballooning: false },
    migration: { auto_converge: 'inherit', compressed: 'inherit', encrypted: 'inherit' },
    os: { type: 'other' },
    origin: 'external',
    placement_policy: { affinity: 'migratable' },
    run_once: false,
    sso: {},
    start_paused: false,
    stateless: false,
    status: vm.status,
    template: { id: BLANK_TEMPLATE_ID, href: `templates/${BLANK_TEMPLATE_ID}` },
    time_zone: { name: 'Etc/GMT' },
    type: 'server',
    actions: ['start', 'shutdown', 'stop', 'migrate', 'cancelmigration'].map((rel) => ({
      rel,
      href: `${href}/${rel}`,
    })),
    link: [
      ...['nics', 'hostdevices'].map((rel) => ({ rel, href: `${href}/${rel}` })),
      ...absentLinks(href, ABSENT_OF_VM),
    ],
  };
}

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

async function list(call: Call) {
  const [vms, hosts] = await Promise.all([call.look.vms(), call.look.hosts()]);
  const hostName = (each: AnyEntity) => {
    const host = each['host'] as { id?: string } | null;
    return hosts.find((candidate) => candidate.id === host?.id)?.name;
  };
  return many(vmType, vms.map(toVm), {
    host: hostName,
    'host.name': hostName,
    hosts: hostName,
    'hosts.name': hostName,
    cluster: () => 'Default',
    'cluster.name': () => 'Default',
    datacenter: () => 'Default',
    'vms.name': (each) => each['name'] as string,
  });
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

const vmAction = (act: (call: Call, id: VmId) => Promise<unknown>) => async (call: Call) => {
  await act(call, (await call.look.vm(param(call, 'vmId'))).id);
  return done();
};

const LIFECYCLE: readonly Route[] = [
  {
    method: 'POST',
    path: 'vms/:vmId/start',
    operation: 'start_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.startVm(call.caller, id)),
  },
  {
    method: 'POST',
    path: 'vms/:vmId/shutdown',
    operation: 'shutdown_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.shutdownVm(call.caller, id)),
  },
  {
    method: 'POST',
    path: 'vms/:vmId/stop',
    operation: 'stop_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.stopVm(call.caller, id)),
  },
];

async function addNic(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  const given = call.body(nicType);
  const profileId = given.vnic_profile?.id;
  if (!given.name) throw badRequest('Nic [name] required for add', 'Incomplete parameters');
  if (given.interface !== 'pci_passthrough')
    throw badRequest(
      `a nic added here is a VF: its interface must be pci_passthrough, not ` +
        `${given.interface ?? 'left out'}; add an ordinary one to the domain's definition on its host`,
    );
  if (!profileId || !isUuid(profileId))
    throw badRequest('Nic [vnic_profile.id] required for add', 'Incomplete parameters');
  if (given.linked === false) throw badRequest('Unlinking of a passthrough vNIC is not supported.');
  const vnic = await call.useCases.addVnic(call.caller, vm.id, {
    name: given.name,
    profileId: profileId as VnicProfileId,
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

const NICS = 'vms/:vmId/nics';
/** Routes of `/vms` and their nics. */
export const vmRoutes: readonly Route[] = [
  { method: 'GET', path: 'vms', run: list },
  {
    method: 'GET',
    path: 'vms/:vmId',
    run: async (call) => one(vmType, toVm(await call.look.vm(param(call, 'vmId')))),
  },
  ...LIFECYCLE,
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
    operation: 'activate_vm_nic',
    isAction: true,
    run: plugAction(true),
  },
  {
    method: 'POST',
    path: `${NICS}/:nicId/deactivate`,
    operation: 'deactivate_vm_nic',
    isAction: true,
    run: plugAction(false),
  },
  ...absentRoutes(`${NICS}/:nicId`, ABSENT_OF_NIC, vnicOf),
  { method: 'POST', path: NICS, operation: 'add_vm_nic', run: addNic },
  { method: 'DELETE', path: `${NICS}/:nicId`, operation: 'remove_vm_nic', run: removeNic },
  { method: 'PUT', path: `${NICS}/:nicId`, operation: 'update_vm_nic', run: updateNic },
];
