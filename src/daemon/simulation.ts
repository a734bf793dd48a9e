/**
 * Simulated hosts for `serve --simulated`: what `handover-simhost` serves, in this process, with its sockets
 * in the data directory. Only the host channel is handed in, because commands for a unix-socket host would
 * otherwise run on this machine.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Caller, UseCases } from '../app/use-cases.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { HostShell } from '../hypervisor/host-shell.ts';
import type { HostEndpoint } from '../hypervisor/port.ts';
import { ADMIN, GIVER } from '../model/access.ts';
import { DEMO_FLEET } from '../simhost/demo-inventory.ts';
import { createSimFleet } from '../simhost/fleet.ts';
import { simulatedShells } from '../simhost/process/channel-client.ts';
import { type ServedHost, serveFleet } from '../simhost/process/serve-fleet.ts';

export interface Simulation {
  /** The channel of a simulated host; null for a host that is not one of the fleet. */
  readonly openShell: (endpoint: HostEndpoint) => HostShell | null;
  /** Adds the fleet's networks, profiles and hosts, unless they are there already. */
  introduce(useCases: UseCases): Promise<void>;
  close(): Promise<void>;
}

/** Starts the fleet of the demo. */
export async function startSimulation(options: {
  dataDir: string;
  clock: Clock;
  random: Random;
  log: Log;
}): Promise<Simulation> {
  const { dataDir, clock, random, log } = options;
  const directory = join(dataDir, 'simulated');
  // Sockets of an engine that was killed would be in the way.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const fleet = createSimFleet({ clock, random, log, inventory: DEMO_FLEET });
  const served = await serveFleet(fleet, directory, null);
  return {
    openShell: simulatedShells(clock, directory),
    introduce: (useCases) => introduce(useCases, served.hosts),
    async close() {
      await served.close();
      await fleet.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function introduce(useCases: UseCases, served: readonly ServedHost[]): Promise<void> {
  const caller: Caller = { user: ADMIN, roles: [GIVER], correlationId: null };
  const networks = new Map((await useCases.listNetworks(caller)).map((network) => [network.name, network]));
  const profiles = new Set((await useCases.listVnicProfiles(caller)).map((profile) => profile.name));
  for (const wanted of [{ name: 'ovirtmgmt' }, { name: 'prod', vlan: 42 }]) {
    if (!networks.has(wanted.name)) networks.set(wanted.name, await useCases.addNetwork(caller, wanted));
  }
  const prod = networks.get('prod');
  if (!prod) return;
  const wantedProfiles = [
    { name: 'prod-vf', passThrough: true, migratable: true },
    { name: 'prod-vf-pinned', passThrough: true, migratable: false },
    { name: 'prod', passThrough: false },
  ];
  for (const wanted of wantedProfiles) {
    if (!profiles.has(wanted.name)) await useCases.addVnicProfile(caller, { ...wanted, networkId: prod.id });
  }
  const hosts = new Map((await useCases.listHosts(caller)).map((host) => [host.name, host]));
  for (const { name, uri, peerUri } of served) {
    const known = hosts.get(name);
    if (known) await useCases.updateHost(caller, known.id, { uri });
    else await useCases.addHost(caller, { name, uri, peerUri });
  }
}
