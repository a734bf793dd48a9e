/**
 * The one stand-in of the project: the whole store in memory, for the saga harness and the campaigns, where a
 * database would be most of the time and a virtual clock could not wait for it. Held to PostgreSQL by the
 * contract suites of `test/store`. Times are those of the given clock.
 */
import type { Store } from '../../../src/app/store-port.ts';
import type { Clock } from '../../../src/base/clock.ts';
import type { VmId } from '../../../src/base/ids.ts';
import { type GuestRecord, untoldGuest } from '../../../src/model/guest.ts';
import { EVENT_CODES, type HandoverEvent } from '../../../src/model/job.ts';
import { memorySessions, memorySignOnFailures, memoryUsers } from './access.ts';
import { memoryHosts, memoryNetworks, memoryPfConfigs, memoryProfiles } from './inventory.ts';
import { memoryJobs } from './jobs.ts';
import { memoryHostClaims, memoryReservations } from './reservations.ts';
import { found, type PlantedInStore, Tables } from './tables.ts';
import { memoryVms } from './vms.ts';

/** The store and a way to keep its size down. */
export type MemoryStore = Store & {
  /** Forgets jobs that ended at least this long ago, with their steps, and all events. */
  forgetEnded(agoMs: number): void;
};

/** A fresh, empty store. `planted`: a mistake it makes. */
export function createMemoryStore(clock: Clock, planted: PlantedInStore | null = null): MemoryStore {
  const tables = new Tables(clock, planted);
  return {
    hosts: memoryHosts(tables),
    networks: memoryNetworks(tables),
    profiles: memoryProfiles(tables),
    pfConfigs: memoryPfConfigs(tables),
    vms: memoryVms(tables),
    guests: guests(tables),
    jobs: memoryJobs(tables),
    hostClaims: memoryHostClaims(tables),
    reservations: memoryReservations(tables),
    events: events(tables),
    alerts: alerts(tables),
    users: memoryUsers(tables),
    sessions: memorySessions(tables),
    signOnFailures: memorySignOnFailures(tables),
    forgetEnded(agoMs) {
      const before = clock.now() - agoMs;
      for (const [id, { job }] of tables.jobs)
        if (job.endedAt !== null && job.endedAt < before) tables.jobs.delete(id);
      tables.events = [];
    },
  };
}

function events(tables: Tables): Store['events'] {
  return {
    async list({ after, vmId, jobId, limit }) {
      const wanted = tables.events
        .filter((each) => each.id > (after ?? 0))
        .filter((each) => vmId === undefined || each.vmId === vmId)
        .filter((each) => jobId === undefined || each.jobId === jobId);
      if (limit === undefined) return wanted;
      return after === undefined ? wanted.slice(-limit) : wanted.slice(0, limit);
    },
    async add(event) {
      tables.lastEventId += 1;
      const kept: HandoverEvent = {
        id: tables.lastEventId,
        code: EVENT_CODES[event.name],
        severity: event.severity,
        time: tables.clock.now(),
        message: event.message,
        vmId: event.vmId ?? null,
        hostId: event.hostId ?? null,
        jobId: event.jobId ?? null,
        correlationId: event.correlationId ?? null,
      };
      tables.events.push(kept);
      return kept;
    },
  };
}

function guests(tables: Tables): Store['guests'] {
  const put = (vmId: VmId, changes: Partial<GuestRecord>) => {
    found(tables.vms.get(vmId), 'VM', vmId);
    tables.guests.set(vmId, { ...(tables.guests.get(vmId) ?? untoldGuest(vmId)), ...changes });
  };
  return {
    get: async (ids) => new Map(ids.map((id) => [id, tables.guests.get(id) ?? untoldGuest(id)])),
    setStandby: async (id, standby) => put(id, { standby }),
    setProbeAddress: async (id, probeAddress) => put(id, { probeAddress }),
    setReadiness: async (id, readiness) => put(id, { readiness }),
  };
}

function alerts(tables: Tables): Store['alerts'] {
  return {
    list: async () => [...tables.alerts.values()],
    async raise(alert) {
      if (alert.vmId !== null && !tables.vms.has(alert.vmId)) return;
      if (alert.hostId !== null && !tables.hosts.has(alert.hostId)) return;
      const raisedAt = tables.alerts.get(alert.key)?.raisedAt ?? tables.clock.now();
      tables.alerts.set(alert.key, { ...alert, raisedAt });
    },
    clear: async (key) => tables.alerts.delete(key),
  };
}
