/**
 * The one implementation of the hypervisor port: its verbs over libvirt's wire protocol and the host channel.
 * Thin on purpose; what each verb needs is in the file named after it. Made by `createHypervisors` only.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { Mac, PciAddress, VmId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { CPU_COMPARE, LIBVIRT_CODE, procedures, UNDEFINE } from '../libvirt/index.ts';
import type { Domain } from '../model/domain.ts';
import type { GuestBond, GuestNetwork } from '../model/guest-network.ts';
import type { HostInventory } from '../model/host.ts';
import type { VfAttributes } from '../model/pf.ts';
import { ArrivingDomains } from './arriving-domains.ts';
import { HostConnections } from './connections.ts';
import type { Connect } from './connections.ts';
import { define, defineVnic, removeDown, setDefinedVfs, undefineVnic } from './definition-acts.ts';
import { emptyMemory, type HostMemory, type Looker, lookAtDomain } from './domain-look.ts';
import { EventHub } from './event-hub.ts';
import { type Agent, agentOf } from './agent.ts';
import { lookForVfs, nullWithoutAgent, rxPacketsSeen } from './guest-agent.ts';
import { announce, lookAtBond, lookAtGuestNetwork, setActiveLeg, setUpDelay } from './guest-network.ts';
import type { HostChannel } from './host-channel.ts';
import { lookAtDowntime, lookAtMigration } from './job-look.ts';
import { runGuestHooks } from './kit-commands.ts';
import { abortJob, lookForBlockers, migrate } from './migrate.ts';
import { checkPciAddress } from './names.ts';
import { observe } from './observe.ts';
import { ordinaryInterface, plugInterface, undefineInterface } from './ordinary-interface.ts';
import type {
  DefinedVf,
  DomainListener,
  GuestHooks,
  GuestVf,
  RxCounts,
  RxRecording,
  HostEndpoint,
  HostFile,
  Hypervisor,
  MigrateRequest,
  MigrationProgress,
  NewDefinition,
  OrdinaryInterface,
  VfPlug,
} from './port.ts';
import { acting, domainRef, nullOn } from './refusals.ts';
import { endRxRecording, recordRxPackets } from './rx-recording.ts';
import { plugVf, reattachVf, requestUnplug, resetVf, setVfCount, startDomain } from './vf-acts.ts';
import { lookAtVfAttributes } from './vf-look.ts';

const CALL_LIMIT_MS = 30_000;
/** libvirt waits up to 15 s for QEMU to end before it says that it does not. */
const DESTROY_LIMIT_MS = 60_000;

/** What one host is reached with. */
export interface LibvirtHostDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly connect?: Connect;
  readonly channel: HostChannel;
  /** The URI to connect to: the endpoint's, completed with what the engine was configured with. */
  readonly uri: string;
}

export class LibvirtHost implements Hypervisor {
  readonly endpoint: HostEndpoint;
  readonly #clock: Clock;
  readonly #connections: HostConnections;
  readonly #channel: HostChannel;
  readonly #events: EventHub;
  readonly #arriving: ArrivingDomains;
  readonly #memory: HostMemory;

  constructor(deps: LibvirtHostDeps, endpoint: HostEndpoint) {
    const log = deps.log.child({ host: endpoint.name });
    this.endpoint = endpoint;
    this.#clock = deps.clock;
    this.#memory = emptyMemory(deps.clock);
    this.#connections = new HostConnections({ ...deps, log }, endpoint);
    this.#channel = deps.channel;
    this.#arriving = new ArrivingDomains(() => this.#connections.arriving(), deps.clock);
    this.#events = new EventHub(this.#connections, deps.clock, log);
  }

  async observe(): Promise<HostInventory> {
    return observe(await this.#looker(), this.#channel, this.endpoint.name);
  }

  async inspect(vmId: VmId): Promise<Domain | null> {
    return (await lookAtDomain(await this.#looker(), vmId))?.domain ?? null;
  }

  async migrationProgress(vmId: VmId): Promise<MigrationProgress | null> {
    return lookAtMigration(await this.#connections.work(), vmId);
  }

  async migrationDowntimeMs(vmId: VmId): Promise<number | null> {
    return lookAtDowntime(await this.#connections.work(), vmId);
  }

  async vfAttributes(pciAddress: PciAddress): Promise<VfAttributes | null> {
    return lookAtVfAttributes(await this.#looker(), this.#channel, checkPciAddress(pciAddress));
  }

  watch(vmId: VmId | null, listener: DomainListener): Promise<() => void> {
    return this.#events.watch(vmId, listener);
  }

  async migrationBlockers(
    vmId: VmId,
    options: { readonly copyStorage: boolean },
  ): Promise<readonly string[]> {
    return lookForBlockers(await this.#connections.work(), this.endpoint.name, vmId, options.copyStorage);
  }

  async compareCpu(cpuXml: string): Promise<'incompatible' | 'identical' | 'superset'> {
    const client = await this.#connections.work();
    const defaults = { emulator: null, arch: null, machine: null, virtType: null };
    const { result } = await acting(
      this.endpoint.name,
      'compare CPUs',
      client.call(procedures.connectCompareHypervisorCpu, { ...defaults, cpuXml, flags: 0 }),
    );
    if (result === CPU_COMPARE.identical) return 'identical';
    return result === CPU_COMPARE.superset ? 'superset' : 'incompatible';
  }

  testPeer(peerUri: string): Promise<{ ok: boolean; message: string }> {
    return this.#channel.testPeer(peerUri);
  }

  async guestVfs(vmId: VmId, macs: readonly Mac[]): Promise<ReadonlyMap<Mac, GuestVf> | null> {
    return lookForVfs(await this.#agent(vmId), macs);
  }

  async guestNetwork(vmId: VmId): Promise<GuestNetwork | null> {
    return lookAtGuestNetwork(await this.#agent(vmId), this.#clock);
  }

  async guestBond(vmId: VmId, bond: string): Promise<GuestBond | null> {
    return lookAtBond(await this.#agent(vmId), bond);
  }

  async guestRxPackets(vmId: VmId, names: readonly string[]): Promise<RxCounts['counts']> {
    const seen = await nullWithoutAgent(rxPacketsSeen(await this.#agent(vmId), names));
    return seen ?? names.map(() => null);
  }

  async recordRxPackets(vmId: VmId, names: readonly string[]): Promise<RxRecording | null> {
    return nullWithoutAgent(recordRxPackets(await this.#agent(vmId), this.#clock, names));
  }

  async endRxRecording(vmId: VmId, recording: RxRecording): Promise<readonly RxCounts[]> {
    const ended = endRxRecording(await this.#agent(vmId), this.#clock, recording);
    return (await nullWithoutAgent(ended)) ?? [];
  }

  async setActiveLeg(vmId: VmId, bond: string, leg: string): Promise<boolean> {
    return setActiveLeg(await this.#agent(vmId), bond, leg);
  }

  async setUpDelay(vmId: VmId, bond: string, delayMs: number): Promise<boolean> {
    return setUpDelay(await this.#agent(vmId), bond, delayMs);
  }

  async announce(vmId: VmId, bond: string): Promise<boolean> {
    return announce(await this.#agent(vmId), this.#clock, bond);
  }

  async runGuestHooks(vmId: VmId, point: GuestHooks['point']): Promise<GuestHooks | null> {
    return runGuestHooks(await this.#agent(vmId), this.#clock, point);
  }

  vhostQueues(domain: Pick<Domain, 'uuid' | 'name'>): Promise<number | null> {
    // A finding less: no reason to fail a look at the guest.
    return this.#channel.countVhost(domain).catch(() => null);
  }

  inspectFile(path: string): Promise<HostFile> {
    return this.#channel.inspectFile(path);
  }

  async defineVnic(vmId: VmId, vnic: DefinedVf): Promise<void> {
    await defineVnic(await this.#connections.work(), this.endpoint.name, vmId, vnic);
  }

  async undefineVnic(vmId: VmId, vnic: Pick<DefinedVf, 'mac' | 'definedPool'>): Promise<void> {
    await undefineVnic(await this.#connections.work(), this.endpoint.name, vmId, vnic);
  }

  async ordinaryInterface(
    vmId: VmId,
    which: OrdinaryInterface,
  ): Promise<{ readonly xml: string; readonly isDefined: boolean } | null> {
    return ordinaryInterface(await this.#connections.work(), this.endpoint.name, vmId, which);
  }

  async plugInterface(
    vmId: VmId,
    xml: string,
    to: { readonly live: boolean; readonly config: boolean },
  ): Promise<void> {
    await plugInterface(await this.#connections.work(), this.endpoint.name, vmId, xml, to);
  }

  async undefineInterface(vmId: VmId, which: OrdinaryInterface): Promise<void> {
    await undefineInterface(await this.#connections.work(), this.endpoint.name, vmId, which);
  }

  async requestUnplug(vmId: VmId, alias: string): Promise<void> {
    const [look, work] = await Promise.all([this.#connections.control(), this.#connections.work()]);
    await requestUnplug(look, work, this.endpoint.name, vmId, alias);
  }

  async plug(vmId: VmId, plug: VfPlug): Promise<{ guestAddress: PciAddress | null }> {
    const [look, work] = await Promise.all([this.#connections.control(), this.#connections.work()]);
    return plugVf(look, work, this.endpoint.name, vmId, plug);
  }

  async reattachVf(pciAddress: PciAddress): Promise<void> {
    await reattachVf(await this.#connections.work(), this.endpoint.name, checkPciAddress(pciAddress));
  }

  async resetVf(pciAddress: PciAddress): Promise<void> {
    const client = await this.#connections.control();
    await resetVf(client, this.#channel, this.endpoint.name, checkPciAddress(pciAddress));
  }

  async setVfCount(pf: PciAddress, count: number): Promise<void> {
    const client = await this.#connections.control();
    try {
      await setVfCount(client, this.#channel, this.endpoint.name, checkPciAddress(pf), count);
    } finally {
      this.#memory.devices.forget();
    }
  }

  async prepareMigration(): Promise<void> {
    await Promise.all([this.#connections.prepareOwn(), this.#connections.work()]);
  }

  async migrate(request: MigrateRequest, signal: AbortSignal): Promise<void> {
    const { target } = request;
    if (!(target instanceof LibvirtHost)) {
      throw new HandoverError('ASSERTION_FAILED', 'the target of a migration is of another implementation');
    }
    const route = {
      source: this.#connections,
      sourceName: this.endpoint.name,
      target: target.#connections,
      targetName: target.endpoint.name,
    };
    await migrate(this.#clock, route, request, signal);
  }

  async abortMigration(vmId: VmId): Promise<void> {
    await abortJob(await this.#connections.work(), this.endpoint.name, vmId);
  }

  async setDowntimeMax(vmId: VmId, downtimeMs: number): Promise<void> {
    const client = await this.#connections.work();
    const args = { dom: domainRef(vmId), value: BigInt(Math.round(downtimeMs)), flags: 0 };
    await this.#act(
      `set the longest downtime to ${downtimeMs} ms`,
      client.call(procedures.domainMigrateSetMaxDowntime, args, { timeoutMs: CALL_LIMIT_MS }),
    );
  }

  async setDefinedVfs(vmId: VmId, vnics: readonly DefinedVf[]): Promise<void> {
    await setDefinedVfs(await this.#connections.work(), this.endpoint.name, vmId, vnics);
  }

  async start(vmId: VmId, unmanaged: readonly PciAddress[]): Promise<void> {
    await startDomain(await this.#connections.work(), this.endpoint.name, vmId, unmanaged);
  }

  async shutdown(vmId: VmId): Promise<void> {
    const client = await this.#connections.work();
    const args = { dom: domainRef(vmId), flags: 0 };
    const call = client.call(procedures.domainShutdownFlags, args, { timeoutMs: CALL_LIMIT_MS });
    await this.#act('ask the guest to shut down', call);
  }

  async destroy(vmId: VmId): Promise<void> {
    const client = await this.#connections.work();
    const call = client.call(
      procedures.domainDestroyFlags,
      { dom: domainRef(vmId), flags: 0 },
      { timeoutMs: DESTROY_LIMIT_MS },
    );
    await this.#act('end the domain', nullOn(call, LIBVIRT_CODE.noDomain, LIBVIRT_CODE.operationInvalid));
  }

  async resume(vmId: VmId): Promise<void> {
    const client = await this.#connections.work();
    const call = client.call(procedures.domainResume, { dom: domainRef(vmId) }, { timeoutMs: CALL_LIMIT_MS });
    await this.#act('resume the domain', call);
  }

  async define(definition: NewDefinition): Promise<void> {
    await define(await this.#connections.work(), this.endpoint.name, definition.xml);
  }

  async removeDown(vmId: VmId): Promise<void> {
    await removeDown(await this.#connections.work(), this.endpoint.name, vmId);
  }

  async undefine(vmId: VmId): Promise<void> {
    const client = await this.#connections.work();
    const call = client.call(
      procedures.domainUndefineFlags,
      // The guest still runs here or elsewhere: its state is not ours to delete.
      { dom: domainRef(vmId), flags: UNDEFINE.keepNvram | UNDEFINE.keepTpm },
      { timeoutMs: CALL_LIMIT_MS },
    );
    // Operation invalid: the domain is transient, so there is no definition.
    await this.#act(
      'remove the definition',
      nullOn(call, LIBVIRT_CODE.noDomain, LIBVIRT_CODE.operationInvalid),
    );
  }

  async setAutostart(vmId: VmId, autostart: boolean): Promise<void> {
    const client = await this.#connections.work();
    const call = client.call(
      procedures.domainSetAutostart,
      { dom: domainRef(vmId), autostart },
      { timeoutMs: CALL_LIMIT_MS },
    );
    await this.#act(`set autostart to ${autostart}`, call);
  }

  createDisk(path: string, format: string, virtualBytes: number): Promise<void> {
    return this.#channel.createDisk(path, format, virtualBytes);
  }

  removeDisk(path: string): Promise<void> {
    return this.#channel.removeDisk(path);
  }

  /** Ends connections, watching and the host channel. */
  async close(): Promise<void> {
    this.#channel.close();
    await this.#connections.close();
  }

  async #agent(vmId: VmId): Promise<Agent> {
    return agentOf(await this.#connections.work(), this.#clock, vmId);
  }

  async #looker(): Promise<Looker> {
    const client = await this.#connections.control();
    return { client, clock: this.#clock, memory: this.#memory, arriving: this.#arriving };
  }

  async #act(what: string, pending: Promise<unknown>): Promise<void> {
    await acting(this.endpoint.name, what, pending);
  }
}
