/**
 * What the use cases need kept. Implemented by `store/` on PostgreSQL. Reads return model nouns; writes of
 * several rows that must hold together are one method, hence one transaction.
 */
import type { GuestReadiness, GuestRecord, StandbyPolicy } from '../model/guest.ts';
import type { HostId, JobId, NetworkId, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { Role, User } from '../model/access.ts';
import type { Host, HostHead, HostInventory, HostStatus, PeerTest } from '../model/host.ts';
import type {
  EventName,
  EventSeverity,
  HandoverEvent,
  Job,
  JobFilter,
  JobStep,
  MigrateParams,
  NewJob,
  MigrationData,
  Reservation,
} from '../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../model/network.ts';
import type { Vm, VmHead, VmStatus, Vnic, VnicActual } from '../model/vm.ts';
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
  /** From `hosts.nextLook`, before the look began. */
  readonly look: number;
  /** How long ago the look began. What a job that ended since did to its VM is newer than the look. */
  readonly ageMs: number;
}

/** A part of the list of VMs, which is in the order of names, then ids. Absent means no limit. */
export interface VmPart {
  /** Only VMs that follow this one. */
  readonly after?: Pick<Vm, 'name' | 'id'>;
  /** Only VMs of this name; a `*` in it is any text. Case counts. */
  readonly named?: string;
  /** Case does not count in `named`. */
  readonly ignoringCase?: boolean;
  /** Only VMs of this host. */
  readonly hostId?: HostId;
  /** Of those, so many are passed over, and no more than `limit` are in it. */
  readonly skip?: number;
  readonly limit?: number;
}

/** VMs that use a vNIC profile. */
export interface ProfileUse {
  readonly profileId: VnicProfileId;
  readonly vmCount: number;
  /** The first of them, in the order of their names. */
  readonly vms: readonly Pick<Vm, 'id' | 'name'>[];
}

/** How many VMs a host has in a state, as observed. */
export interface VmCount {
  readonly hostId: HostId | null;
  readonly status: VmStatus;
  readonly count: number;
}

/** An alert that stands until it is cleared. `key` makes it one per thing ("vnic:ID"). */
export interface Alert {
  readonly key: string;
  readonly message: string;
  readonly vmId: VmId | null;
  readonly hostId: HostId | null;
  readonly raisedAt: number;
}

/** A signed-on user: the hash of the token, never the token. Times are wall clock ms. */
export interface Session {
  readonly tokenHash: string;
  readonly user: string;
  /** Moves on while the session is used. */
  readonly expiresAt: number;
  /** Never moves. */
  readonly endsAt: number;
}

/** A user with what a password is compared with: scrypt's hash, never the password. */
export interface UserRecord extends User {
  readonly passwordHash: string;
}

/** Failed sign-ons of one name, or from one address. Times are wall clock ms. */
export interface SignOnFailures {
  readonly failures: number;
  readonly failedAt: number;
  /** Nothing is compared before. */
  readonly refusedUntil: number;
}

/**
 * An engine's leased ownership of one host: it alone watches the host and plugs what is missing there. What
 * jobs do on the host is theirs.
 */
export interface HostClaim {
  readonly hostId: HostId;
  readonly owner: string;
  /** Grows whenever the host changes hands. */
  readonly epoch: number;
  /** On the owner's monotonic clock, counted from before the claim was asked for. */
  readonly leaseUntilMs: number;
}

/** One VF held for plugging one vNIC of a VM that no job moves. */
export interface VfHold {
  readonly vmId: VmId;
  readonly vnicId: VnicId;
  readonly vf: PciAddress;
}

/** The VFs of one PF, closed to everybody while their number is changed. */
export interface VfClosure {
  /** A UUID of whoever closes them. */
  readonly id: string;
  readonly hostId: HostId;
  readonly pf: PciAddress;
  readonly vfs: readonly PciAddress[];
}

/** Everything that is kept. Any method throws `STORE_UNAVAILABLE` while the database is away. */
export interface Store {
  readonly hosts: {
    list(): Promise<Host[]>;
    /** The same hosts. What was seen on one is most of what is kept of it. */
    listHeads(): Promise<HostHead[]>;
    get(id: HostId): Promise<Host | null>;
    /** Throws `ALREADY_EXISTS` if the name is taken. */
    add(host: Host): Promise<void>;
    /**
     * `non_responsive` leaves a host in maintenance there, and gives it the reason: without one it answers.
     */
    setStatus(id: HostId, status: HostStatus, reason: string | null): Promise<void>;
    /** Numbers a look that is about to begin; later ones have higher numbers, whichever engine looks. */
    nextLook(): Promise<number>;
    /**
     * Also sets status `up`, unless the host is in maintenance; either has no reason any more. Does nothing
     * if the inventory of a later look is there already.
     */
    setInventory(id: HostId, inventory: HostInventory, observedAt: number, look: number): Promise<void>;
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
  readonly hostClaims: {
    /**
     * Prolongs every claim of `owner` and takes all hosts that nobody has a lease on; returns all it has now.
     * `owner` names one process: no two share it, nor does one that is started again.
     */
    take(owner: string, leaseMs: number): Promise<HostClaim[]>;
    /** Gives all up, so that others may take them at once. Holds under them are void. */
    release(owner: string): Promise<void>;
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
    /** Of all profiles that any VM uses, with at most `vmsMax` VMs each. */
    uses(vmsMax: number): Promise<ProfileUse[]>;
  };
  readonly pfConfigs: {
    list(hostId?: HostId): Promise<PfConfig[]>;
    put(config: PfConfig): Promise<void>;
  };
  readonly vms: {
    /** In the order of names, then ids. */
    list(part?: VmPart): Promise<Vm[]>;
    /** The same VMs, at a fifth of the cost. */
    listHeads(part?: VmPart): Promise<VmHead[]>;
    /** How many are `named` so on that host. */
    count(part: Pick<VmPart, 'named' | 'ignoringCase' | 'hostId'>): Promise<number>;
    counts(): Promise<VmCount[]>;
    get(id: VmId): Promise<Vm | null>;
    /**
     * Replaces what is known of a host's VMs. Keeps of known vNICs: id, name, profileId (unless the
     * observation names one),
     * `plugged` (the desired state), `kept`, and `actual` while a live job or a pending unplug owns it. A VM
     * observed on another host while a live job moves it stays where the job says. A job that ended after the
     * look began counts as live. A VM that is on its host no more, and not seen on another, is `unknown`
     * without a host, and forgotten after three minutes without it. Does nothing if a later look at that host
     * was taken over already.
     */
    observe(observation: VmObservation): Promise<void>;
    /**
     * Until `endRemoval`, `remove` or the limit the VM is not started. Throws `VM_STATUS_WRONG` if it is
     * being started, `VM_ALREADY_MIGRATING`, `NOT_FOUND`.
     */
    beginRemoval(id: VmId, limitMs: number): Promise<void>;
    endRemoval(id: VmId): Promise<void>;
    /**
     * Forgets one whose definition was removed; looks that began before do not bring it back. Throws
     * `VM_ALREADY_MIGRATING`. None is no error.
     */
    remove(id: VmId): Promise<void>;
    setVnicProfile(vnicId: VnicId, profileId: VnicProfileId | null, vlan: number | null): Promise<void>;
    /**
     * What its user desires of a vNIC, which is kept from now on. One that is attached and not desired
     * becomes `unplug_pending`, and so does one that a VF is held for; an ordinary one is out when this is
     * said. Wakes every engine. Throws `VM_ALREADY_MIGRATING` if a live job moves the VM.
     */
    setVnicDesired(vnicId: VnicId, plugged: boolean): Promise<void>;
    /**
     * Adds one that no host shows yet. Throws `ALREADY_EXISTS` if its VM has one of that name,
     * `VM_ALREADY_MIGRATING`, `NOT_FOUND` if there is no such VM.
     */
    addVnic(vnic: Vnic): Promise<void>;
    /** Throws `VM_ALREADY_MIGRATING`, and `IN_USE` while a VF is held for it. None is no error. */
    removeVnic(vnicId: VnicId): Promise<void>;
    /** See `Vnic.unpluggedXml`. */
    setVnicUnpluggedXml(vnicId: VnicId, xml: string): Promise<void>;
    /** Written by the migration after it looked. */
    setVnicActual(vnicId: VnicId, actual: VnicActual, vf: PciAddress | null): Promise<void>;
    /**
     * That its user wants it to run; wakes every engine. Or that this ended. Throws `VM_STATUS_WRONG` while
     * it is being removed.
     */
    setStarting(vmId: VmId, starting: boolean): Promise<void>;
    setHost(vmId: VmId, hostId: HostId | null): Promise<void>;
  };
  readonly guests: {
    /** Of every one of these VMs, told or not. */
    get(vmIds: readonly VmId[]): Promise<ReadonlyMap<VmId, GuestRecord>>;
    /** `NOT_FOUND` without such a VM, as the next. */
    setStandby(vmId: VmId, standby: StandbyPolicy): Promise<void>;
    setProbeAddress(vmId: VmId, address: string | null): Promise<void>;
    setReadiness(vmId: VmId, readiness: GuestReadiness): Promise<void>;
  };
  readonly jobs: {
    list(filter?: JobFilter): Promise<Job[]>;
    get(id: JobId): Promise<Job | null>;
    steps(id: JobId): Promise<JobStep[]>;
    /** Adds a queued job. Throws `VM_ALREADY_MIGRATING` if the VM has a live one. */
    add(...job: NewJob): Promise<Job>;
    /**
     * Asks for a cancel. `accepted`: set before the pivot, the job will stop or decide; `too_late`: pivoted
     * or ended.
     */
    requestCancel(id: JobId): Promise<'accepted' | 'too_late'>;
    /** `needs_operator` -> live again, to inspect and go on. `JOB_NOT_RESUMABLE` otherwise. */
    retry(id: JobId): Promise<Job>;
    /**
     * `needs_operator`, or live under one of these alerts, -> failed, reservations freed, its claim void.
     * `JOB_NOT_RESUMABLE` otherwise.
     */
    abandon(id: JobId, leftBehind: readonly string[], alertKeys: readonly string[]): Promise<Job>;
    /** Memory promised to live jobs that have a place, by target host; without the promise to `except`. */
    promisedMemoryKiB(except: JobId | null): Promise<ReadonlyMap<HostId, number>>;
    /** The runner's view of the same rows. */
    readonly saga: SagaStore<MigrateParams, MigrationData>;
  };
  readonly reservations: {
    /** Holds whose host changed hands, or whose owner's lease ran out, are void and not listed. */
    list(filter?: { hostId?: HostId; jobId?: JobId }): Promise<Reservation[]>;
    /**
     * Grows with every `reserve`, `hold` and `endHold`. Read before the facts a choice is made from, and
     * given to `reserve`.
     */
    version(): Promise<number>;
    /**
     * Gives a job its place: these VFs, all or none, in exchange for all it held, and the target host
     * recorded on the job (null: it needs none; epoch-checked), in one transaction. Throws `CHOICE_OUTDATED`
     * if a place was given away since
     * `version`, `VF_TAKEN` naming a VF that another holds, `CLAIM_LOST` if the epoch is not the job's.
     */
    reserve(
      jobId: JobId,
      epoch: number,
      targetHostId: HostId | null,
      reservations: readonly Reservation[],
      version: number,
    ): Promise<void>;
    /** One VF more for a job that has its place (epoch-checked). Throws `VF_TAKEN`, `CLAIM_LOST`. */
    reserveAnother(jobId: JobId, epoch: number, reservation: Reservation): Promise<void>;
    /**
     * Holds a VF of a claimed host for as long as the claim lasts. Throws `CLAIM_LOST`, `VF_TAKEN`,
     * `VM_ALREADY_MIGRATING` if the VM has a live job, `NOT_FOUND` if it is no longer on that host, or if the
     * vNIC is gone, or neither desired nor leaving.
     */
    hold(claim: HostClaim, hold: VfHold): Promise<void>;
    /**
     * Ends a hold and records what became of its vNIC, in one transaction: on the VF, or nowhere; on the VF
     * and not desired any more, it leaves (`unplug_pending`). Throws
     * `CLAIM_LOST` if the hold was void.
     */
    endHold(claim: HostClaim, hold: VfHold, actual: 'plugged' | 'unplugged'): Promise<void>;
    /** Frees those of this job only; anyone else's are untouched. */
    release(jobId: JobId, side?: 'source' | 'target'): Promise<void>;
    /**
     * From now on nobody reserves or holds one of these VFs (`VF_TAKEN`), for `leaseMs` at most. Throws
     * `IN_USE` if somebody has one, or if the PF's VFs are closed already; `NOT_FOUND` without the host.
     */
    close(closure: VfClosure, leaseMs: number): Promise<void>;
    /** Ends the closure of that id; if it has run out already, nothing changes. */
    reopen(closureId: string): Promise<void>;
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
    /** By name. */
    list(): Promise<User[]>;
    get(name: string): Promise<UserRecord | null>;
    /** `ALREADY_EXISTS` if the name is taken. */
    add(user: UserRecord): Promise<void>;
    /** Ends the user's sessions with it, in one transaction. `NOT_FOUND`. */
    setPassword(name: string, passwordHash: string): Promise<void>;
    /** Does nothing if the user has it. `NOT_FOUND`. */
    addRole(name: string, role: Role): Promise<void>;
    /**
     * Does nothing if the user does not have it. `NOT_FOUND`; `IN_USE` if it is the user's only role, or
     * nobody would be left who has the role that gives roles.
     */
    removeRole(name: string, role: Role): Promise<void>;
    /** Ends the user's sessions with it. `NOT_FOUND`, `IN_USE` as for `removeRole`. */
    remove(name: string): Promise<void>;
  };
  readonly sessions: {
    /** With the roles the user has now. Expired ones too: only the caller knows what time it is. */
    get(tokenHash: string): Promise<(Session & { readonly roles: readonly Role[] }) | null>;
    /**
     * False, and nothing is kept, if the user is gone or the password is no longer the one of this hash: it
     * was changed since it was compared.
     */
    add(session: Session, passwordHash: string): Promise<boolean>;
    /** Does nothing if the session is gone. */
    prolong(tokenHash: string, expiresAt: number): Promise<void>;
    /** Does nothing if the session is gone. */
    remove(tokenHash: string): Promise<void>;
    /** Forgets those that ended before `now` (wall clock ms). */
    removeExpired(now: number): Promise<void>;
  };
  readonly signOnFailures: {
    /** Of these keys, those of which anything is kept. */
    list(keys: readonly string[]): Promise<(SignOnFailures & { readonly key: string })[]>;
    /** Replaces what is kept of `key` by what `change` makes of it; nobody else's change comes between. */
    change(key: string, change: (before: SignOnFailures | null) => SignOnFailures): Promise<void>;
    remove(keys: readonly string[]): Promise<void>;
    /** Forgets keys whose last failure was before `time` (wall clock ms). */
    removeBefore(time: number): Promise<void>;
  };
}
