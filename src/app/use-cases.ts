/**
 * Everything a user can do, as API and CLI see it. Implemented beside this file, one use case a file; wired
 * in the daemon. Authorisation is checked in here, by the `Caller`: see `permissions.ts`. Errors are
 * `HandoverError`s whose messages are shown as they are.
 */
import type { HostId, JobId, NetworkId, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { GuestKitFormat } from '../guest-kit/guest-kit-text.ts';
import type { Role, User } from '../model/access.ts';
import type { GuestRecord } from '../model/guest.ts';
import type { Host, PeerTest } from '../model/host.ts';
import type { HandoverEvent, Job, JobFilter, JobStep } from '../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../model/network.ts';
import type { MigrationPlan } from '../model/plan.ts';
import type { Vm, VmHead, Vnic } from '../model/vm.ts';
import type { VfUse } from '../scheduler/vf-use.ts';
import type { PastDrill } from './drill.ts';
import type { Expectation } from './expectation.ts';
import type { Alert, EventFilter, ProfileUse, VmPart } from './store-port.ts';
import type { FleetSurvey } from './survey.ts';
import type { VfCountChange } from './vf-count.ts';

/** Who asks. */
export interface Caller {
  /** `admin@internal`. */
  readonly user: string;
  /** As they are now: read with every request. */
  readonly roles: readonly Role[];
  readonly correlationId: string | null;
}

/** Whom a session belongs to, with the roles of this moment. */
export interface SessionUser {
  readonly user: string;
  readonly roles: readonly Role[];
}

/** A session that has begun. The token is opaque and shown this once; times are wall clock ms. */
export interface NewSession extends SessionUser {
  readonly token: string;
  /** If it is not used until then. */
  readonly expiresAt: number;
}

/** A user to add. */
export interface NewUser {
  /** `NAME@internal`. */
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
}

/** A host to add; see `Host` for the fields and their defaults. */
export interface NewHost {
  readonly name: string;
  readonly uri: string;
  readonly peerUri?: string | null;
  readonly migrationAddress?: string | null;
  readonly outgoingMax?: number;
  readonly incomingMax?: number;
}

/** A network to add. */
export interface NewNetwork {
  readonly name: string;
  readonly vlan?: number | null;
  readonly label?: string | null;
  readonly mtu?: number | null;
  readonly description?: string | null;
}

/** A vNIC profile to add. */
export interface NewVnicProfile {
  readonly name: string;
  readonly networkId: NetworkId;
  readonly passThrough?: boolean;
  /** Default true, as oVirt documents it. */
  readonly migratable?: boolean;
  readonly portMirroring?: boolean;
  readonly failoverId?: VnicProfileId | null;
  readonly description?: string | null;
}

/** A VM to add. */
export interface NewVm {
  /** libvirt's domain XML. */
  readonly definition: string;
  /** Left out: the only host there is. */
  readonly hostId?: HostId | null;
  /** Left out: the definition's own. */
  readonly name?: string | null;
}

/** What clients may say of a VM; all of it is in its definition, and nothing of it is changed here. */
export type VmChanges = Partial<Pick<Vm, 'name' | 'memoryKiB' | 'vcpus'>>;

/** A vNIC to add to a VM. */
export interface NewVnic {
  readonly name: string;
  readonly profileId: VnicProfileId;
  /** Of an ordinary one, as libvirt calls it: `virtio`; null: a VF. */
  readonly model: string | null;
  /** Left out: one that is free. */
  readonly mac?: string | null;
  /** Default true. */
  readonly plugged?: boolean;
}

/** What may be asked of one migration; times in ms. Left out: the defaults of `migrate-params.ts`. */
export interface MigrateOptions {
  readonly targetHostId?: HostId | null;
  readonly copyStorage?: boolean;
  readonly unplugTimeoutMs?: number;
  readonly downtimeMsMax?: number;
  readonly bandwidthMiBps?: number | null;
  readonly transferTimeoutMs?: number;
}

/** The guest's side of a VM, with what its last drill found. */
export interface KnownGuest extends GuestRecord {
  readonly lastDrill: PastDrill | null;
}

export type { VfUse };

export interface UseCases {
  /**
   * Begins a session. `SIGN_ON_REFUSED` for a wrong name or password, and for a right one while too many
   * failures of that name or from that `address` are recent.
   */
  signOn(user: string, password: string, address: string): Promise<NewSession>;
  /** Ends a session; an unknown token is no error. */
  signOut(token: string): Promise<void>;
  /** Whom a token belongs to; `NOT_SIGNED_IN` if it is unknown or has expired. */
  session(token: string): Promise<SessionUser>;

  /** The caller. */
  self(caller: Caller): Promise<User>;
  /**
   * `INVALID_INPUT` without the current password, and as `signOn` refuses; ends every session of the caller.
   */
  changeOwnPassword(caller: Caller, current: string, password: string, address: string): Promise<void>;
  listUsers(caller: Caller): Promise<User[]>;
  addUser(caller: Caller, user: NewUser): Promise<User>;
  /** Ends every session of the user, as `removeUser` does. */
  setUserPassword(caller: Caller, name: string, password: string): Promise<void>;
  /** Holds from the next request on, as `takeRole` does. */
  giveRole(caller: Caller, name: string, role: Role): Promise<User>;
  /** `IN_USE` for a user's only role, and for the last one who can give roles. */
  takeRole(caller: Caller, name: string, role: Role): Promise<User>;
  /** `IN_USE` for the last one who can give roles. */
  removeUser(caller: Caller, name: string): Promise<void>;

  listHosts(caller: Caller): Promise<Host[]>;
  getHost(caller: Caller, id: HostId): Promise<Host>;
  /** Connects, observes and adopts before it answers; a host that cannot be reached is not added. */
  addHost(caller: Caller, host: NewHost): Promise<Host>;
  updateHost(caller: Caller, id: HostId, changes: Partial<NewHost>): Promise<Host>;
  removeHost(caller: Caller, id: HostId): Promise<void>;
  refreshHost(caller: Caller, id: HostId): Promise<Host>;
  testPeers(caller: Caller, id: HostId): Promise<ReadonlyMap<HostId, PeerTest>>;
  /**
   * No VM is placed on a host in maintenance; those on it stay until they are moved. Ending it looks at the
   * host first.
   */
  setMaintenance(caller: Caller, id: HostId, on: boolean): Promise<Host>;
  vfUses(caller: Caller, id: HostId): Promise<VfUse[]>;
  /** Hosts with how busy they are, and the VFs there are for each network. */
  surveyFleet(caller: Caller): Promise<FleetSurvey>;

  listPfConfigs(caller: Caller, id: HostId): Promise<PfConfig[]>;
  setPfConfig(caller: Caller, config: PfConfig): Promise<void>;
  /** See `setVfCount` of `vf-count.ts`. Returns when the host was seen with that number. */
  setVfCount(caller: Caller, change: VfCountChange): Promise<void>;

  listNetworks(caller: Caller): Promise<Network[]>;
  getNetwork(caller: Caller, id: NetworkId): Promise<Network>;
  addNetwork(caller: Caller, network: NewNetwork): Promise<Network>;
  updateNetwork(caller: Caller, id: NetworkId, changes: Partial<NewNetwork>): Promise<Network>;
  removeNetwork(caller: Caller, id: NetworkId): Promise<void>;

  listVnicProfiles(caller: Caller): Promise<VnicProfile[]>;
  getVnicProfile(caller: Caller, id: VnicProfileId): Promise<VnicProfile>;
  /** Which VMs use each profile; those nobody uses are not in it. */
  listProfileUses(caller: Caller): Promise<ProfileUse[]>;
  addVnicProfile(caller: Caller, profile: NewVnicProfile): Promise<VnicProfile>;
  updateVnicProfile(
    caller: Caller,
    id: VnicProfileId,
    changes: Partial<NewVnicProfile>,
  ): Promise<VnicProfile>;
  removeVnicProfile(caller: Caller, id: VnicProfileId): Promise<void>;

  /** `status` is `migrating` while a live job moves the VM and plug was not yet tried once for every vNIC. */
  listVms(caller: Caller, part?: VmPart): Promise<Vm[]>;
  /** As `listVms`, for who needs nothing that belongs to the VMs. */
  listVmHeads(caller: Caller, part?: VmPart): Promise<VmHead[]>;
  /** How many there are; of the part, `after`, `skip` and `limit` do not count. */
  countVms(caller: Caller, part?: VmPart): Promise<number>;
  getVm(caller: Caller, id: VmId): Promise<Vm>;
  /**
   * The text that makes the bonds of its VFs and their standbys inside its guest. `INVALID_INPUT` if no VF
   * has a standby.
   */
  guestKit(caller: Caller, id: VmId, format: GuestKitFormat): Promise<string>;
  /** Makes a host know a VM by its definition; it does not run yet. */
  addVm(caller: Caller, vm: NewVm): Promise<Vm>;
  /** Answers a VM that was sent back as it is; anything else is `INVALID_INPUT`. */
  updateVm(caller: Caller, id: VmId, changes: VmChanges): Promise<Vm>;
  /** Removes a VM that is down from the hosts that define it. Its disks stay. */
  removeVm(caller: Caller, id: VmId): Promise<void>;
  setVnicProfile(caller: Caller, vmId: VmId, vnicId: VnicId, profileId: VnicProfileId | null): Promise<Vm>;

  /**
   * Plugs or unplugs a vNIC, and keeps it so. Returns when it is so; else why not, and the vNIC is as it
   * was.
   */
  setVnicPlugged(caller: Caller, vmId: VmId, vnicId: VnicId, plugged: boolean): Promise<Vm>;

  /** Adds a vNIC; returns when it is as wanted, else nothing was added. */
  addVnic(caller: Caller, vmId: VmId, vnic: NewVnic): Promise<Vnic>;
  /** Removes a vNIC that no running guest has. */
  removeVnic(caller: Caller, vmId: VmId, vnicId: VnicId): Promise<void>;

  /** Starts a VM that is down, with a VF for every vNIC that should have one. Returns once it runs. */
  startVm(caller: Caller, vmId: VmId): Promise<Vm>;
  /** Asks the guest to shut down. */
  shutdownVm(caller: Caller, vmId: VmId): Promise<Vm>;
  /** Ends the VM at once. */
  stopVm(caller: Caller, vmId: VmId): Promise<Vm>;

  /** Nothing is reserved or changed; the guest is looked at, which may take some seconds. */
  planMigration(caller: Caller, vmId: VmId, options: MigrateOptions): Promise<MigrationPlan>;
  /**
   * As `planMigration`, of many and of one moment; disk images are not looked for. VMs that are not there are
   * left out.
   */
  planMigrations(caller: Caller, vmIds: readonly VmId[]): Promise<MigrationPlan[]>;
  /** How long a migration takes, from those that went before; null if none did. */
  expectMigration(caller: Caller, vmId: VmId): Promise<Expectation | null>;
  /** What is known of a VM's guest, as it was when somebody looked last. */
  getGuest(caller: Caller, vmId: VmId): Promise<KnownGuest>;
  /** Looks at the guest now, through its agent; changes nothing in it. */
  checkGuest(caller: Caller, vmId: VmId): Promise<KnownGuest>;
  /** `INVALID_INPUT` if it is no IP address; null: none is probed. */
  setProbeAddress(caller: Caller, vmId: VmId, address: string | null): Promise<KnownGuest>;
  /** `INVALID_INPUT` if it is none of `STANDBY_POLICIES`. */
  setStandbyPolicy(caller: Caller, vmId: VmId, standby: string): Promise<KnownGuest>;
  /**
   * Accepts a job that rehearses a migration where the VM is: its VFs leave the guest and are plugged again.
   * `DRILL_REFUSED` without a VF or a standby; what nobody can know of a standby is no reason to refuse.
   */
  drillVm(caller: Caller, vmId: VmId): Promise<Job>;
  /** What this engine did since it started, in Prometheus' text format; empty if nothing is counted. */
  readMetrics(caller: Caller): Promise<string>;
  /** Accepts the job (the VM is `migrating` when this returns) or throws why not. */
  migrateVm(caller: Caller, vmId: VmId, options: MigrateOptions): Promise<Job>;
  /** Returns only if the job will end on the source. `VM_NOT_MIGRATING`, `CANCEL_TOO_LATE` otherwise. */
  cancelMigration(caller: Caller, vmId: VmId): Promise<Job>;

  listJobs(caller: Caller, filter: JobFilter): Promise<Job[]>;
  getJob(caller: Caller, id: JobId): Promise<{ readonly job: Job; readonly steps: JobStep[] }>;
  cancelJob(caller: Caller, id: JobId): Promise<Job>;
  retryJob(caller: Caller, id: JobId): Promise<Job>;
  abandonJob(caller: Caller, id: JobId): Promise<Job>;

  listEvents(caller: Caller, filter: EventFilter): Promise<HandoverEvent[]>;
  /**
   * Tells `listener` of every event after the one with the id `after` (null: from now on), once and in order;
   * it must not throw. Returns how to stop.
   */
  followEvents(
    caller: Caller,
    after: number | null,
    listener: (events: readonly HandoverEvent[]) => void,
  ): Promise<() => void>;
  listAlerts(caller: Caller): Promise<Alert[]>;
}
