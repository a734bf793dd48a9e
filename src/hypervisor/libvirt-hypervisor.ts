/**
 * Opens hosts: one object per host, shared by everybody in the engine. Called by the composition root only.
 */
import type { Clock } from '../base/clock.ts';
import type { HostId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { channelFor, withSshConfig } from './channel-for.ts';
import type { Connect } from './connections.ts';
import { ShellChannel } from './host-channel.ts';
import type { HostShell } from './host-shell.ts';
import { LibvirtHost } from './libvirt-host.ts';
import { interfaceOn } from './ordinary-interface.ts';
import { readDefinition } from './new-definition.ts';
import type { HostEndpoint, Hypervisor, Hypervisors } from './port.ts';

/** What hosts are reached with. */
export interface HypervisorOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Default: the machine's own. */
  readonly random?: Random;
  /** ssh configuration file for hosts whose URI names none. */
  readonly sshConfig?: string;
  /** How libvirt connections are made; default by URI. Campaigns bring an in-memory one. */
  readonly connect?: Connect;
  /** The shell behind a host's channel; null = by URI. Simulated hosts bring their own. */
  readonly openShell?: (endpoint: HostEndpoint) => HostShell | null;
}

/**
 * Makes the port. Nothing connects before the first verb. `host` throws `HOST_URI_INVALID` for a URI that
 * cannot be used.
 */
export function createHypervisors(options: HypervisorOptions): Hypervisors {
  const open = new Map<HostId, LibvirtHost>();

  function create(endpoint: HostEndpoint): LibvirtHost {
    const { name } = endpoint;
    const { clock, log, connect, random = systemRandom } = options;
    const uri = withSshConfig(endpoint.uri, options.sshConfig);
    const own = options.openShell?.(endpoint) ?? null;
    const channel = own ? new ShellChannel(name, () => own) : channelFor({ clock, random }, name, uri);
    return new LibvirtHost({ clock, log, uri, channel, ...(connect ? { connect } : {}) }, endpoint);
  }

  return {
    readDefinition,
    interfaceOn,
    host(endpoint: HostEndpoint): Hypervisor {
      const known = open.get(endpoint.id);
      if (known?.endpoint.uri === endpoint.uri && known.endpoint.name === endpoint.name) return known;
      // Its URI or name changed and nobody said so: what the old connections are doing may end by itself.
      void known?.close();
      const created = create(endpoint);
      open.set(endpoint.id, created);
      return created;
    },
    async forget(id) {
      const known = open.get(id);
      open.delete(id);
      await known?.close();
    },
    async close() {
      const all = [...open.values()];
      open.clear();
      await Promise.all(all.map((each) => each.close()));
    },
  };
}
