/**
 * Domain events of one host, shared by everybody who watches it. Registered once per control connection for
 * all domains and told apart here, because registrations are per connection and a migration would add and
 * remove a dozen otherwise.
 *
 * Invariants: `watch` resolves only when libvirt has confirmed every registration, so what is asked
 * afterwards cannot be missed; when the connection breaks every listener hears `watch_lost`, and after it is
 * registered anew
 * `watch_restored`, each exactly once per break. Listeners run after the packet reader, never inside it.
 */
import type { Clock } from '../base/clock.ts';
import { abortReason } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import {
  DOMAIN_EVENTS,
  type Domain as DomainRef,
  type LibvirtClient,
  paramNumber,
} from '../libvirt/index.ts';
import type { HostConnections } from './connections.ts';
import type { DomainEvent, DomainListener } from './port.ts';
import { lifecycleNames } from './state-names.ts';

/** Pauses between attempts to watch again; the last one repeats. */
const RECONNECT_PAUSES_MS = [200, 1000, 2000, 5000, 10_000, 30_000] as const;

interface Watcher {
  readonly vmId: VmId | null;
  readonly listener: DomainListener;
}

export class EventHub {
  readonly #connections: HostConnections;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watchers = new Set<Watcher>();
  /** Watchers that heard `watch_lost` and not yet `watch_restored`. */
  readonly #waiting = new Set<Watcher>();
  #registration: { client: LibvirtClient; done: Promise<void> } | null = null;
  #reconnecting = false;

  constructor(connections: HostConnections, clock: Clock, log: Log) {
    this.#connections = connections;
    this.#clock = clock;
    this.#log = log;
  }

  /** See `Hypervisor.watch`. */
  async watch(vmId: VmId | null, listener: DomainListener): Promise<() => void> {
    const watcher = { vmId, listener };
    this.#watchers.add(watcher);
    try {
      await this.#ensureRegistered();
    } catch (error) {
      this.#forget(watcher);
      throw error;
    }
    return () => this.#forget(watcher);
  }

  #forget(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.#waiting.delete(watcher);
  }

  async #ensureRegistered(): Promise<void> {
    const client = await this.#connections.control();
    if (this.#registration?.client !== client) {
      const registration = { client, done: this.#register(client) };
      this.#registration = registration;
      registration.done.catch(() => {
        if (this.#registration === registration) this.#registration = null;
      });
      client.onClose(() => this.#lost(registration));
    }
    await this.#registration.done;
    const restored = [...this.#waiting];
    this.#waiting.clear();
    for (const watcher of restored) this.#tell(watcher, { type: 'watch_restored' }, null);
  }

  async #register(client: LibvirtClient): Promise<void> {
    const byAlias = (type: 'device_removed' | 'device_removal_failed' | 'device_added') => {
      return ({ dom, alias }: { dom: DomainRef; alias: string }) => this.#publish(dom, { type, alias });
    };
    await Promise.all([
      client.on(DOMAIN_EVENTS.deviceRemoved, null, byAlias('device_removed')),
      client.on(DOMAIN_EVENTS.deviceRemovalFailed, null, byAlias('device_removal_failed')),
      client.on(DOMAIN_EVENTS.deviceAdded, null, byAlias('device_added')),
      client.on(DOMAIN_EVENTS.lifecycle, null, ({ dom, event, detail }) =>
        this.#publish(dom, { type: 'lifecycle', ...lifecycleNames(event, detail) }),
      ),
      client.on(DOMAIN_EVENTS.agentLifecycle, null, ({ dom, state }) =>
        this.#publish(dom, { type: 'agent', connected: state === 1 }),
      ),
      client.on(DOMAIN_EVENTS.jobCompleted, null, ({ dom, params }) =>
        this.#publish(dom, { type: 'job_completed', downtimeMs: paramNumber(params, 'downtime') ?? null }),
      ),
    ]);
  }

  #publish(dom: DomainRef, event: DomainEvent): void {
    const vmId = dom.uuid as VmId;
    for (const watcher of [...this.#watchers]) {
      if (watcher.vmId === null || watcher.vmId === vmId) this.#tell(watcher, event, vmId);
    }
  }

  #tell(watcher: Watcher, event: DomainEvent, vmId: VmId | null): void {
    if (!this.#watchers.has(watcher)) return;
    try {
      watcher.listener(event, vmId);
    } catch (error) {
      this.#log.error('a listener of domain events failed', { event: event.type, error: messageOf(error) });
    }
  }

  #lost(registration: { client: LibvirtClient }): void {
    if (this.#registration !== registration) return;
    this.#registration = null;
    if (this.#connections.closed.aborted) return;
    for (const watcher of [...this.#watchers]) {
      if (this.#waiting.has(watcher)) continue;
      this.#waiting.add(watcher);
      this.#tell(watcher, { type: 'watch_lost' }, null);
    }
    if (!this.#reconnecting) void this.#reconnect();
  }

  /** Tries until it is registered, nobody watches any more, or the host is forgotten. */
  async #reconnect(): Promise<void> {
    this.#reconnecting = true;
    try {
      for (let attempt = 0; this.#waiting.size > 0; attempt++) {
        const pauseMs = RECONNECT_PAUSES_MS[Math.min(attempt, RECONNECT_PAUSES_MS.length - 1)] ?? 0;
        await this.#clock.sleep(pauseMs, this.#connections.closed);
        try {
          await this.#ensureRegistered();
        } catch (error) {
          this.#log.debug('domain events cannot be watched yet', { error: messageOf(error) });
        }
      }
    } catch (error) {
      if (!this.#connections.closed.aborted) throw error;
      this.#log.debug('watching ended', { why: messageOf(abortReason(this.#connections.closed)) });
    } finally {
      this.#reconnecting = false;
    }
  }
}
