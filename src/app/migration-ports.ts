/** What the migration's steps need, over the store and the hypervisors. */
import type { HostId, JobId, VmId } from '../base/ids.ts';
import type { MigrationPorts } from '../migration/port.ts';
import { standbyOf } from './guest.ts';
import { hostById, observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { watchTraffic } from './traffic.ts';
import { reserveDrill } from './drill.ts';
import { reserveMigration, reserveReplacement } from './reserve-migration.ts';

/** The ports of one engine. */
export function migrationPorts(parts: AppParts): MigrationPorts {
  const { store, hypervisors, clock } = parts;
  return {
    hostRecord: (id) => hostById(parts, id),
    hypervisor: async (id: HostId) => hypervisors.host(await hostById(parts, id)),
    standbyOf: (vmId) => standbyOf(parts, vmId),
    watchTraffic: async (watched) =>
      parts.startProbe ? await watchTraffic(parts, parts.startProbe, watched) : null,
    hooksAt: (point) => (parts.hooks ?? []).filter((hook) => hook.point === point),
    observeHost: (id) => observeHost(parts, id),
    reserve: (job) => reserveMigration(parts, { ...job, jobId: job.jobId as JobId }),
    reserveOwn: (job) => reserveDrill(parts, { ...job, jobId: job.jobId as JobId }),
    reserveReplacement: (job, hostId, side, vnic, not) =>
      reserveReplacement(parts, { ...job, jobId: job.jobId as JobId }, hostId, side, vnic, not),
    releaseReservations: (jobId, side) => store.reservations.release(jobId as JobId, side),
    setVnicActual: (vnicId, actual, vf) => store.vms.setVnicActual(vnicId, actual, vf),
    setVmHost: (vmId, hostId) => store.vms.setHost(vmId, hostId),
    recordPeerTest: (source, target, ok, message) =>
      store.hosts.setPeerTest(source, target, { ok, message, testedAt: clock.now() }),
    async event(job, event) {
      await store.events.add({ ...event, vmId: job.vmId, jobId: job.jobId as JobId });
    },
    jobEnded: (job) => parts.metrics?.jobEnded(job),
    raiseAlert: (key, vmId: VmId, message) => store.alerts.raise({ key, vmId, hostId: null, message }),
    async clearAlert(key) {
      await store.alerts.clear(key);
    },
  };
}
