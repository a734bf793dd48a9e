/** VMs, and where they can move, below `/api`. What changes a VM is oVirt's API. Callers: `routes.ts`. */
import type { HostId, VmId } from '../../base/ids.ts';
import { badRequest } from '../ovirt/wire/read.ts';
import { GUEST_KIT_FORMATS, type GuestKitFormatView } from '../types/guest-kit-view.ts';
import { choice, flag, integer, list, text, uuid } from '../types/schema.ts';
import {
  movabilitySchema,
  planSchema,
  vmPageSchema,
  vmSchema,
  type VmPage,
  type VmView,
} from '../types/vm-view.ts';
import { hostNames, idOf, queriedId, queriedInteger } from './lookups.ts';
import { type NativeCall, type NativeRoute, nativeRoute } from './operation.ts';
import { type AroundVm, toMovabilityView, toPlanView, toVmView } from './vm-view.ts';

const VMS_SHOWN = 50;
const VMS_SHOWN_MAX = 200;
const SKIP_MAX = 1_000_000;
const VM_ID = uuid('Of a VM.');

/** Its routes. */
export const vmRoutes: readonly NativeRoute[] = [
  nativeRoute({
    method: 'GET',
    path: 'vms',
    needs: 'look',
    name: 'listVms',
    summary: 'A page of VMs with their vNICs, by name',
    query: {
      name: text('Only those with this text in their name, in upper or lower case; `*` is any text.'),
      host: uuid('Only those of this host.'),
      skip: { ...integer('So many are passed over.'), minimum: 0, maximum: SKIP_MAX, default: 0 },
      max: { ...integer('How many, at most.'), minimum: 1, maximum: VMS_SHOWN_MAX, default: VMS_SHOWN },
    },
    answer: vmPageSchema,
    run: listVms,
  }),
  nativeRoute({
    method: 'GET',
    path: 'vms/:id',
    needs: 'look',
    name: 'getVm',
    summary: 'A VM with its vNICs and their PFs',
    id: VM_ID,
    answer: vmSchema,
    run: getVm,
  }),
  nativeRoute({
    method: 'GET',
    path: 'vms/:id/plan',
    needs: 'look',
    name: 'planMigration',
    summary: 'Where a VM can move, with which VFs, and why not elsewhere',
    description: 'Nothing is reserved or changed. `migrate` of the oVirt API begins what is planned here.',
    id: VM_ID,
    query: {
      copyStorage: {
        ...flag('`true`: local disks are copied, so the target must not have them.'),
        default: false,
      },
    },
    answer: planSchema,
    async run(call) {
      const id = idOf<VmId>(call, 'VM');
      const [plan, expected] = await Promise.all([
        call.useCases.planMigration(call.caller, id, {
          copyStorage: call.query.get('copyStorage') === 'true',
        }),
        call.useCases.expectMigration(call.caller, id),
      ]);
      return toPlanView(plan, expected);
    },
  }),
  nativeRoute({
    method: 'GET',
    path: 'vms/:id/guest-kit',
    needs: 'look',
    name: 'getGuestKit',
    summary: "The text that makes the bonds of a VM's VFs and their standbys inside its guest",
    description: 'With the MAC addresses of this VM. 400 if none of its VFs has a standby.',
    id: VM_ID,
    query: {
      format: {
        ...choice(
          GUEST_KIT_FORMATS,
          '`script`: a shell script that installs the guest kit; `cloud-init`: user-data that does; the ' +
            'others: a shell script that configures this network manager without the kit.',
        ),
        default: GUEST_KIT_FORMATS[0],
      },
    },
    answer: text(),
    mediaType: 'text/plain',
    run: async (call) =>
      await call.useCases.guestKit(call.caller, idOf<VmId>(call, 'VM'), guestKitFormat(call)),
  }),
  nativeRoute({
    method: 'GET',
    path: 'movability',
    needs: 'look',
    name: 'listMovability',
    summary: 'Whether VMs can move now, and why not',
    description: 'Disk images are not looked for. A VM that is not there is left out.',
    query: { vms: text(`Ids with commas between them, ${VMS_SHOWN_MAX} at most.`) },
    answer: list(movabilitySchema),
    async run(call) {
      const ids = (call.query.get('vms') ?? '').split(',').filter((id) => id !== '');
      if (ids.length > VMS_SHOWN_MAX)
        throw badRequest(`vms= names ${ids.length} VMs; ask for ${VMS_SHOWN_MAX} at most`);
      const vmIds = ids.map((id) => queriedId<VmId>('vms', id));
      return (await call.useCases.planMigrations(call.caller, vmIds)).map(toMovabilityView);
    },
  }),
];

function guestKitFormat({ query }: NativeCall): GuestKitFormatView {
  const given = query.get('format') || GUEST_KIT_FORMATS[0];
  const format = GUEST_KIT_FORMATS.find((each) => each === given);
  if (format === undefined) throw badRequest(`format=${given} is none of ${GUEST_KIT_FORMATS.join(', ')}`);
  return format;
}

async function listVms(call: NativeCall): Promise<VmPage> {
  const { useCases, caller, query } = call;
  const name = query.get('name') ?? '';
  const host = query.get('host') ?? '';
  const wanted = {
    ...(name === '' ? {} : { named: `*${name}*`, ignoringCase: true }),
    ...(host === '' ? {} : { hostId: queriedId<HostId>('host', host) }),
  };
  const skip = queriedInteger(call, 'skip', { min: 0, max: SKIP_MAX, otherwise: 0 });
  const limit = queriedInteger(call, 'max', { min: 1, max: VMS_SHOWN_MAX, otherwise: VMS_SHOWN });
  const [total, vms, around] = await Promise.all([
    useCases.countVms(caller, wanted),
    useCases.listVms(caller, { ...wanted, skip, limit }),
    aroundVms(call),
  ]);
  return { total, vms: vms.map((vm) => toVmView(vm, around)) };
}

async function getVm(call: NativeCall): Promise<VmView> {
  const vm = await call.useCases.getVm(call.caller, idOf<VmId>(call, 'VM'));
  const around = await aroundVms(call);
  const host = vm.hostId === null ? null : await call.useCases.getHost(call.caller, vm.hostId);
  return toVmView(vm, { ...around, host });
}

async function aroundVms(call: NativeCall): Promise<AroundVm> {
  const { useCases, caller } = call;
  const [names, profiles, networks, jobs] = await Promise.all([
    hostNames(call),
    useCases.listVnicProfiles(caller),
    useCases.listNetworks(caller),
    useCases.listJobs(caller, { live: true }),
  ]);
  return {
    hostNames: names,
    profiles: new Map(profiles.map((each) => [each.id, each])),
    networks: new Map(networks.map((each) => [each.id, each])),
    jobs,
    host: null,
  };
}
