/** The guest's side of VMs, below `/api`. Callers: `routes.ts`. */
import { isoTime } from '../../base/clock.ts';
import type { VmId } from '../../base/ids.ts';
import type { KnownGuest } from '../../app/use-cases.ts';
import { STANDBY_POLICIES } from '../../model/guest.ts';
import { guestSchema, type GuestView } from '../types/guest-view.ts';
import { jobSchema } from '../types/job-view.ts';
import { choice, text, uuid } from '../types/schema.ts';
import { toDrillView } from './drill-view.ts';
import { toJobView } from './job-view.ts';
import { hostNames, idOf } from './lookups.ts';
import { type NativeRoute, nativeRoute } from './operation.ts';

const VM_ID = uuid('Of a VM.');

/** Its routes. */
export const guestRoutes: readonly NativeRoute[] = [
  nativeRoute({
    method: 'GET',
    path: 'vms/:id/guest',
    needs: 'look',
    name: 'getGuest',
    summary: "The guest's side of a VM, as it was when somebody looked last",
    id: VM_ID,
    answer: guestSchema,
    run: async (call) => toGuestView(await call.useCases.getGuest(call.caller, idOf<VmId>(call, 'VM'))),
  }),
  nativeRoute({
    method: 'POST',
    path: 'vms/:id/guest/check',
    needs: 'look',
    name: 'checkGuest',
    summary: 'Looks at the guest now, through its agent, and answers what it found',
    description: 'Changes nothing in the guest. A guest whose agent does not answer takes some seconds.',
    id: VM_ID,
    answer: guestSchema,
    run: async (call) => toGuestView(await call.useCases.checkGuest(call.caller, idOf<VmId>(call, 'VM'))),
  }),
  nativeRoute({
    method: 'POST',
    path: 'vms/:id/guest/policy',
    needs: 'use_vms',
    name: 'setStandbyPolicy',
    summary: 'Says what a migration does where no standby carries the traffic',
    id: VM_ID,
    query: { standby: choice(STANDBY_POLICIES, 'The policy; it has to be named.') },
    answer: guestSchema,
    async run(call) {
      const policy = call.query.get('standby') ?? '';
      return toGuestView(await call.useCases.setStandbyPolicy(call.caller, idOf<VmId>(call, 'VM'), policy));
    },
  }),
  nativeRoute({
    method: 'POST',
    path: 'vms/:id/guest/probe',
    needs: 'use_vms',
    name: 'setProbeAddress',
    summary: 'Says which address of the VM is probed while it is moved, to measure its network gap',
    description: "The engine's machine sends an echo request every 10 ms, with the program `fping`.",
    id: VM_ID,
    query: { address: text('An IPv4 or IPv6 address; left out: none is probed.') },
    answer: guestSchema,
    async run(call) {
      const address = call.query.get('address') ?? '';
      const id = idOf<VmId>(call, 'VM');
      return toGuestView(
        await call.useCases.setProbeAddress(call.caller, id, address === '' ? null : address),
      );
    },
  }),
  nativeRoute({
    method: 'POST',
    path: 'vms/:id/guest/drill',
    needs: 'use_vms',
    name: 'drillVm',
    summary: 'Rehearses where the VM is what a migration does to its network, and answers the job',
    description:
      'The traffic goes to the standby, the VFs leave the guest, the same are plugged again, the traffic ' +
      'returns. 409 where no standby would carry it. What was found is `lastDrill` of the guest afterwards.',
    id: VM_ID,
    answer: jobSchema,
    async run(call) {
      const job = await call.useCases.drillVm(call.caller, idOf<VmId>(call, 'VM'));
      return toJobView(job, [], await hostNames(call));
    },
  }),
];

function toGuestView(guest: KnownGuest): GuestView {
  const { vmId, standby: policy, probeAddress, readiness, lastDrill } = guest;
  return {
    vmId,
    policy,
    probeAddress,
    standby: readiness?.standby ?? null,
    checkedAt: readiness && isoTime(readiness.checkedAt),
    findings: readiness?.findings ?? [],
    lastDrill: lastDrill && toDrillView(lastDrill),
  };
}
