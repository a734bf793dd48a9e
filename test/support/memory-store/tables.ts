/**
 * What the in-memory store keeps: the tables of the real one as maps. Everything in them is replaced, never
 * changed in place, so what was handed out stays as it was. Every method of the store works on them in one
 * go, without waiting in between: that is its transaction.
 */
import type {
  Alert,
  HostClaim,
  Session,
  SignOnFailures,
  UserRecord,
  VfClosure,
} from '../../../src/app/store-port.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import type { HostId, JobId, NetworkId, VmId, VnicId, VnicProfileId } from '../../../src/base/ids.ts';
import type { GuestRecord } from '../../../src/model/guest.ts';
import type { Host } from '../../../src/model/host.ts';
import type { HandoverEvent, Job, JobState, JobStep, Reservation } from '../../../src/model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../../../src/model/network.ts';
import type { Vm, Vnic } from '../../../src/model/vm.ts';

/** A job with its claim. Times of leases are the store's own, as the database's are. */
export interface JobRow {
  job: Job;
  owner: string | null;
  leaseUntilMs: number;
  epoch: number;
  /** Not due before; monotonic ms. */
  runAfterMs: number | null;
  /** What a parked job was doing. */
  resumeState: JobState;
  steps: JobStep[];
}

/** A VM without its vNICs, which are in a table of their own. */
export type VmRow = Omit<Vm, 'vnics' | 'staleOn'> & { readonly missedSince?: number };

/** A reservation; a hold has the epoch of its claim on the host. */
export type Held = Reservation & { readonly hostEpoch: number | null };

/**
 * Mistakes a store can be told to make, so that checkers are seen to catch them: reservations outlive their
 * job; releasing frees others' too; a place is given whoever has it; a vNIC that is out is no longer desired.
 */
export type PlantedInStore = 'forgets_release' | 'releases_of_others' | 'gives_twice' | 'drops_desired';

/** All tables, and who wants to be woken. */
export class Tables {
  readonly hosts = new Map<HostId, Host>();
  readonly networks = new Map<NetworkId, Network>();
  readonly profiles = new Map<VnicProfileId, VnicProfile>();
  /** By `HOST PF`. */
  readonly pfConfigs = new Map<string, PfConfig>();
  readonly vms = new Map<VmId, VmRow>();
  readonly guests = new Map<VmId, GuestRecord>();
  /** Of one VM, in the order they are shown. */
  readonly vnics = new Map<VmId, readonly Vnic[]>();
  readonly vmOfVnic = new Map<VnicId, VmId>();
  readonly stale = new Map<HostId, ReadonlySet<VmId>>();
  /** In the order they were added. */
  readonly jobs = new Map<JobId, JobRow>();
  readonly live = new Map<JobId, JobRow>();
  /** By `HOST VF`: the key that is promise 2. */
  readonly reservations = new Map<string, Held>();
  /** By `HOST PF`. */
  readonly closures = new Map<string, VfClosure & { readonly leaseUntilMs: number }>();
  /** Grows with every place given away. */
  placesVersion = 0;
  lastLook = 0;
  /** The latest look at a host that was taken over: of its VMs, of its inventory. */
  readonly looksAtVms = new Map<HostId, number>();
  /** Of VMs that are being removed, on the monotonic clock. */
  readonly removingUntilMs = new Map<VmId, number>();
  readonly looksAtInventory = new Map<HostId, number>();
  readonly claims = new Map<HostId, HostClaim>();
  events: HandoverEvent[] = [];
  lastEventId = 0;
  readonly alerts = new Map<string, Alert>();
  readonly users = new Map<string, UserRecord>();
  readonly sessions = new Map<string, Session>();
  readonly signOnFailures = new Map<string, SignOnFailures>();
  readonly wakes = new Set<() => void>();
  readonly clock: Clock;

  readonly planted: PlantedInStore | null;

  constructor(clock: Clock, planted: PlantedInStore | null) {
    this.clock = clock;
    this.planted = planted;
  }

  /** Told after the write, as a notification is. */
  wake(): void {
    queueMicrotask(() => {
      for (const each of [...this.wakes]) each();
    });
  }

  /** Frees what a job holds; of one side only if that is named. */
  free(jobId: JobId, side?: Reservation['side']): void {
    if (this.planted === 'forgets_release') return;
    const all = this.planted === 'releases_of_others';
    for (const [key, held] of this.reservations)
      if ((all || held.jobId === jobId) && (side === undefined || held.side === side))
        this.reservations.delete(key);
  }

  setVnics(vmId: VmId, vnics: readonly Vnic[]): void {
    for (const vnic of this.vnics.get(vmId) ?? []) this.vmOfVnic.delete(vnic.id);
    const shown = [...vnics].sort((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
    this.vnics.set(vmId, shown);
    for (const vnic of shown) this.vmOfVnic.set(vnic.id, vmId);
  }

  /** False if a later look was taken over before. */
  isLater(looks: Map<HostId, number>, hostId: HostId, look: number): boolean {
    if ((looks.get(hostId) ?? 0) > look) return false;
    looks.set(hostId, look);
    return true;
  }

  /** Throws `NOT_FOUND`. */
  changeVnic(id: VnicId, change: Partial<Vnic>): void {
    const vmId = found(this.vmOfVnic.get(id), 'vNIC', id);
    const before = this.vnics.get(vmId) ?? [];
    this.vnics.set(
      vmId,
      before.map((vnic) => (vnic.id === id ? { ...vnic, ...change, ...this.#undesired(change) } : vnic)),
    );
  }

  #undesired(change: Partial<Vnic>): Partial<Vnic> {
    return this.planted === 'drops_desired' && change.actual === 'unplugged' ? { plugged: false } : {};
  }

  removeVm(vmId: VmId): void {
    this.setVnics(vmId, []);
    this.vnics.delete(vmId);
    this.vms.delete(vmId);
    this.guests.delete(vmId);
    for (const [key, alert] of this.alerts) if (alert.vmId === vmId) this.alerts.delete(key);
  }
}

/** Throws `NOT_FOUND` unless there is one. */
export function found<T>(value: T | undefined, what: string, id: string): T {
  if (value === undefined) throw new HandoverError('NOT_FOUND', `there is no ${what} ${id}`);
  return value;
}

/** What is kept of a patch whose absent fields stay. */
export function given<T extends object>(patch: T): Partial<T> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** In the order of `key`, code points as in the database. */
export function sortedBy<T>(all: Iterable<T>, key: (each: T) => string): T[] {
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
