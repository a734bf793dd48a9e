/**
 * `/vms`: VMs as their hosts define them. A new one is made from a libvirt definition; of one that is there
 * nothing can be changed, since all of it is in its definition.
 */
import type { VmId } from '../../base/ids.ts';
import type { VmHead } from '../../model/vm.ts';
import { ABSENT_OF_VM } from './absent.ts';
import { checkDefault, clusterRef } from './default-cluster.ts';
import { namedHost } from './named-host.ts';
import {
  type Call,
  created,
  done,
  given,
  one,
  param,
  refuseNewId,
  requireFields,
  type Route,
} from './route.ts';
import { vmType } from './schema/index.ts';
import { BLANK_TEMPLATE_ID } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

const ACTIONS = ['start', 'shutdown', 'stop', 'migrate', 'cancelmigration'].map((rel) => ({ rel }));
const LINKS = ['nics', 'hostdevices', ...Object.keys(ABSENT_OF_VM)].map((rel) => ({ rel }));

/** A VM as oVirt shows it. What libvirt does not tell is filled with what clients need to be there. */
export function toVm(vm: VmHead): Entity<typeof vmType> {
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
    actions: ACTIONS,
    link: LINKS,
  };
}

/** oVirt makes VMs from templates and OVF; here the definition is libvirt's, and its place a host. */
async function add(call: Call) {
  const body = call.body(vmType);
  const { type, data } = body.initialization?.configuration ?? {};
  requireFields('VM', 'add', { 'initialization.configuration.data': data ?? undefined });
  if (type !== 'libvirt')
    throw badRequest(
      `initialization.configuration.type is ${type ?? 'left out'}; only libvirt can be used: the data is a ` +
        'domain XML, as "virsh dumpxml --inactive VM" writes it',
    );
  checkDefault('cluster', body.cluster);
  const [placed] = body.placement_policy?.hosts ?? [];
  const host = await namedHost(call, body.host ?? placed);
  const vm = await call.useCases.addVm(call.caller, {
    definition: data ?? '',
    hostId: host?.id ?? null,
    name: body.name || null,
  });
  return created(vmType, toVm(vm));
}

/** Clients send a VM back that they read, whole or in part: what is as it was is no change. */
async function update(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  const body = call.body(vmType);
  refuseNewId(vm.id, body);
  checkDefault('cluster', body.cluster);
  const { name, memory, cpu } = body;
  const topology = cpu?.topology;
  const updated = await call.useCases.updateVm(call.caller, vm.id, {
    ...given('name', name || null),
    ...given('memoryKiB', memory == null ? null : memory / 1024),
    ...given('vcpus', topology && (topology.cores ?? 1) * (topology.sockets ?? 1) * (topology.threads ?? 1)),
  });
  return one(vmType, toVm(updated));
}

async function remove(call: Call) {
  const { id } = await call.look.vm(param(call, 'vmId'));
  await call.useCases.removeVm(call.caller, id);
  return done();
}

const vmAction = (act: (call: Call, id: VmId) => Promise<unknown>) => async (call: Call) => {
  await act(call, (await call.look.vm(param(call, 'vmId'))).id);
  return done();
};

const LIFECYCLE: readonly Route[] = [
  {
    method: 'POST',
    path: 'vms/:vmId/start',
    needs: 'use_vms',
    operation: 'start_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.startVm(call.caller, id)),
  },
  {
    method: 'POST',
    path: 'vms/:vmId/shutdown',
    needs: 'use_vms',
    operation: 'shutdown_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.shutdownVm(call.caller, id)),
  },
  {
    method: 'POST',
    path: 'vms/:vmId/stop',
    needs: 'use_vms',
    operation: 'stop_vm',
    isAction: true,
    run: vmAction((call, id) => call.useCases.stopVm(call.caller, id)),
  },
];

/** Routes of `/vms`; its list, nics and migrations have files of their own. */
export const vmRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'vms/:vmId',
    run: async (call) => one(vmType, toVm(await call.look.vm(param(call, 'vmId')))),
  },
  { method: 'POST', path: 'vms', needs: 'configure', operation: 'add_vm', run: add },
  { method: 'PUT', path: 'vms/:vmId', needs: 'use_vms', operation: 'update_vm', run: update },
  { method: 'DELETE', path: 'vms/:vmId', needs: 'use_vms', operation: 'remove_vm', run: remove },
  ...LIFECYCLE,
];
