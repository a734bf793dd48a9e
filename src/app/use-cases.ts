/**
 * Everything a user can do, as API and CLI see it. Implemented beside this file, one use case a file; wired
 * in the daemon. Authorisation is checked in here, by the `Caller`. Errors are `HandoverError`s whose
 * messages are shown as they are.
 */
import type { HostId, JobId, NetworkId, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { Host, PeerTest } from '../model/host.ts';
import type { HandoverEvent, Job, JobStep } from '../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../model/network.ts';
import type { MigrationPlan } from '../model/plan.ts';
import type { Vm } from '../model/vm.ts';
import type { Alert, EventFilter } from './store-port.ts';
import type { VfCountChange } from './vf-count.ts';

/** Who asks. */
export interface Caller {
  /** `admin@internal`. */
  readonly user: string;
  readonly correlationId: string | null;
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

/** What may be asked of one migration; times in ms. Left out: the defaults of `vms.ts`. */
export interface MigrateOptions {
  readonly targetHostId?: HostId | null;
  readonly copyStorage?: boolean;
  readonly unplugTimeoutMs?: number;
  readonly downtimeMsMax?: number;
  readonly bandwidthMiBps?: number | null;
  readonly transferTimeoutMs?: number;
}

/** A VF's use on its host, for host nics: free, held by a job, or in a domain. */
export interface VfUse {
  readonly pciAddress: PciAddress;
  readonly state: 'free' | 'reserved' | 'attached' | 'unusable';
  /** Who, or why: "attached to web-1", "reserved by job ...", "its IOMMU group 12 holds other devices". */
  readonly reason: string | null;
}

export interface UseCases {
  // sign-on: the token is opaque, only its hash is kept. `SIGN_ON_REFUSED` for a wrong name or password.
  signOn(user: string, password: string): Promise<{ readonly token: string; readonly expiresAt: number }>;
  signOut(token: string): Promise<void>;
  /** Who a token belongs to; `NOT_SIGNED_IN` if unknown or expired. */
  session(token: string): Promise<{ readonly user: string }>;

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
  addVnicProfile(caller: Caller, profile: NewVnicProfile): Promise<VnicProfile>;
  updateVnicProfile(
    caller: Caller,
    id: VnicProfileId,
    changes: Partial<NewVnicProfile>,
  ): Promise<VnicProfile>;
  removeVnicProfile(caller: Caller, id: VnicProfileId): Promise<void>;

  /** `status` is `migrating` while a live job moves the VM and plug was not yet tried once for every vNIC. */
  listVms(caller: Caller): Promise<Vm[]>;
  getVm(caller: Caller, id: VmId): Promise<Vm>;
  setVnicProfile(caller: Caller, vmId: VmId, vnicId: VnicId, profileId: VnicProfileId | null): Promise<Vm>;

  /**
   * Plugs or unplugs a VF vNIC, and keeps it so. Returns when it is so; else why not, and the vNIC is as it
   * was.
   */
  setVnicPlugged(caller: Caller, vmId: VmId, vnicId: VnicId, plugged: boolean): Promise<Vm>;

  /** Starts a VM that is down, with a VF for every vNIC that should have one. Returns once it runs. */
  startVm(caller: Caller, vmId: VmId): Promise<Vm>;
  /** Asks the guest to shut down. */
  shutdownVm(caller: Caller, vmId: VmId): Promise<Vm>;
  /** Ends the VM at once. */
  stopVm(caller: Caller, vmId: VmId): Promise<Vm>;

  /** Pure look: nothing is reserved or changed. */
  planMigration(caller: Caller, vmId: VmId, options: MigrateOptions): Promise<MigrationPlan>;
  /** Accepts the job (the VM is `migrating` when this returns) or throws why not. */
  migrateVm(caller: Caller, vmId: VmId, options: MigrateOptions): Promise<Job>;
  /** Returns only if the job will end on the source. `VM_NOT_MIGRATING`, `CANCEL_TOO_LATE` otherwise. */
  cancelMigration(caller: Caller, vmId: VmId): Promise<Job>;

  listJobs(caller: Caller, filter: { vmId?: VmId; live?: boolean; limit?: number }): Promise<Job[]>;
  getJob(caller: Caller, id: JobId): Promise<{ readonly job: Job; readonly steps: JobStep[] }>;
  cancelJob(caller: Caller, id: JobId): Promise<Job>;
  retryJob(caller: Caller, id: JobId): Promise<Job>;
  abandonJob(caller: Caller, id: JobId): Promise<Job>;

  listEvents(caller: Caller, filter: EventFilter): Promise<HandoverEvent[]>;
  listAlerts(caller: Caller): Promise<Alert[]>;
}
