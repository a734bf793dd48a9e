/**
 * What the use cases need kept. Implemented by `store/` on PostgreSQL. Reads return model nouns; writes of
 * several rows that must hold together are one method, hence one transaction.
 */
import type { HostId, JobId, NetworkId, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { Host, HostInventory, HostStatus, PeerTest } from '../model/host.ts';
import type {
  EventName,
  EventSeverity,
  HandoverEvent,
  Job,
  JobStep,
  MigrateParams,
  MigrationData,
  Reservation,
} from '../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../model/network.ts';
import type { Vm, Vnic, VnicActual } from '../model/vm.ts';
import type { SagaStore } from '../saga/port.ts';

/** Filters are conjunctive; absent means any. */
export interface EventFilter {
  /** Only ids greater than this. */
  readonly after?: number;
  readonly vmId?: VmId;
  readonly jobId?: JobId;
  readonly limit?: number;
}

/** An event to be kept; the store adds id, code and time. */
export interface NewEvent {
  readonly name: EventName;
  readonly severity: EventSeverity;
  readonly message: string;
  readonly vmId?: VmId | null;
  readonly hostId?: HostId | null;
  readonly jobId?: JobId | null;
  readonly correlationId?: string | null;
}

/**
 * What one look at a host found of its VMs: replaces all that was stored of this host's VMs, in one
 * transaction.
 */
export interface VmObservation {
  readonly hostId: HostId;
  /** VMs that are on this host now (running here, or defined here and running nowhere). */
  readonly vms: readonly Vm[];
  /** UUIDs this host only has a stale definition of. */
  readonly stale: readonly VmId[];
  /** How long ago the look began. What a job that ended since did to its VM is newer than the look. */
  readonly ageMs: number;
}

/** An alert that stands until it is cleared. `key` makes it one per thing ("vnic:ID"). */
export interface Alert {
  readonly key: string;
  readonly message: string;
  readonly vmId: VmId | null;
  readonly hostId: HostId | null;
  readonly raisedAt: number;
}

/** A signed-on user: the hash of the token, never the token. `expiresAt`: wall clock ms. */
export interface Session {
  readonly tokenHash: string;
  readonly user: string;
  readonly expiresAt: number;
}

/** A user; `passwordHash` is scrypt, never the password. */
export interface User {
  readonly name: string;
  readonly passwordHash: string;
}

/** Everything that is kept. Any method throws `STORE_UNAVAILABLE` while the database is away. */
export interface Store {
  readonly hosts: {
    list(): Promise<Host[]>;
    get(id: HostId): Promise<Host | null>;
    /** Throws `ALREADY_EXISTS` if the name is taken. */
    add(host: Host): Promise<void>;
    setStatus(id: HostId, status: HostStatus, reason: string | null): Promise<void>;
    /** Also sets status `up`, unless the host is in maintenance. */
    setInventory(id: HostId, inventory: HostInventory, observedAt: number): Promise<void>;
    setPeerTest(id: HostId, target: HostId, test: PeerTest): Promise<void>;
    updateSettings(
      id: HostId,
      settings: Partial<
        Pick<Host, 'name' | 'uri' | 'peerUri' | 'migrationAddress' | 'outgoingMax' | 'incomingMax'>
      >,
    ): Promise<void>;
    /** Throws `IN_USE` if a live job names it. Its VMs' rows go with it. */
    remove(id: HostId): Promise<void>;
  };
  readonly networks: {
    list(): Promise<Network[]>;
    get(id: NetworkId): Promise<Network | null>;
    /** `ALREADY_EXISTS` if the name is taken. */
    add(network: Network): Promise<void>;
    update(network: Network): Promise<void>;
    remove(id: NetworkId): Promise<void>;
  };
  readonly profiles: {
    list(): Promise<VnicProfile[]>;
    get(id: VnicProfileId): Promise<VnicProfile | null>;
    /** `ALREADY_EXISTS` if the network has a profile of that name (case-sensitive). */
    add(profile: VnicProfile): Promise<void>;
    update(profile: VnicProfile): Promise<void>;
    remove(id: VnicProfileId): Promise<void>;
    /** vNICs that use it. */
    users(id: VnicProfileId): Promise<Vnic[]>;
  };
  readonly pfConfigs: {
    list(hostId?: HostId): Promise<PfConfig[]>;
    put(config: PfConfig): Promise<void>;
  };
  readonly vms: {
    list(): Promise<Vm[]>;
    get(id: VmId): Promise<Vm | null>;
    /**
     * Replaces what is known of a host's VMs. Keeps of known vNICs: id, name, profileId (unless the
     * observation names one),
     * `plugged` (the desired state), and `actual` while a live job or a pending unplug owns it. A VM observed
     * on another host while a live job moves it stays where the job says. A job that ended after the look
     * began counts as live.
     */
    observe(observation: VmObservation): Promise<void>;
    setVnicProfile(vnicId: VnicId, profileId: VnicProfileId | null): Promise<void>;
    /** Written by the migration after it looked. */
    setVnicActual(vnicId: VnicId, actual: VnicActual, vf: PciAddress | null): Promise<void>;
    setHost(vmId: VmId, hostId: HostId | null): Promise<void>;
  };
  readonly jobs: {
    list(filter?: { vmId?: VmId; live?: boolean; limit?: number }): Promise<Job[]>;
    get(id: JobId): Promise<Job | null>;
    steps(id: JobId): Promise<JobStep[]>;
    /** Adds a queued job. Throws `VM_ALREADY_MIGRATING` if the VM has a live one. */
    add(id: JobId, params: MigrateParams, vmName: string, correlationId: string | null): Promise<Job>;
    /**
     * Asks for a cancel. `accepted`: set before the pivot, the job will stop or decide; `too_late`: pivoted
     * or ended.
     */
    requestCancel(id: JobId): Promise<'accepted' | 'too_late'>;
    /** `needs_operator` -> live again, to inspect and go on. `JOB_NOT_RESUMABLE` otherwise. */
    retry(id: JobId): Promise<Job>;
    /** `needs_operator` -> failed, reservations freed. `JOB_NOT_RESUMABLE` otherwise. */
    abandon(id: JobId, leftBehind: readonly string[]): Promise<Job>;
    /** Memory promised to live jobs, by target host. */
    promisedMemoryKiB(): Promise<ReadonlyMap<HostId, number>>;
    /** The runner's view of the same rows. */
    readonly saga: SagaStore<MigrateParams, MigrationData>;
  };
  readonly reservations: {
    list(filter?: { hostId?: HostId; jobId?: JobId }): Promise<Reservation[]>;
    /**
     * All or none, in one transaction that also records the target host on the job (epoch-checked).
     * Throws `VF_TAKEN` naming the VF if another job holds one; `CLAIM_LOST` if the epoch is not the job's.
     */
    reserve(
      jobId: JobId,
      epoch: number,
      targetHostId: HostId,
      reservations: readonly Reservation[],
    ): Promise<void>;
    /** Frees those of this job only; anyone else's are untouched. */
    release(jobId: JobId, side?: 'source' | 'target'): Promise<void>;
  };
  readonly events: {
    list(filter: EventFilter): Promise<HandoverEvent[]>;
    add(event: NewEvent): Promise<HandoverEvent>;
  };
  readonly alerts: {
    list(): Promise<Alert[]>;
    /** Raising one that stands updates its message. */
    raise(alert: Omit<Alert, 'raisedAt'>): Promise<void>;
    /** Returns whether it stood. */
    clear(key: string): Promise<boolean>;
  };
  readonly users: {
    get(name: string): Promise<User | null>;
    put(user: User): Promise<void>;
  };
  readonly sessions: {
    get(tokenHash: string): Promise<Session | null>;
    put(session: Session): Promise<void>;
    remove(tokenHash: string): Promise<void>;
    /** Forgets those that ended before `now` (wall clock ms). */
    removeExpired(now: number): Promise<void>;
  };
}
