/** Simulated hosts of a test's own making, in a process of their own. Whoever serves them stops them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SimFleetSpec } from '../../../src/simhost/inventory.ts';
import { SimhostProcess } from '../../support/simhost-process.ts';
import type { SimulatedEngine } from '../../support/simulated-engine.ts';

/** The hosts that are served. */
export interface ServedFleet {
  /** Where an engine finds them. */
  readonly directory: string;
  /** Through which a test decides about faults and guests. */
  readonly process: SimhostProcess;
  /** Adds them all to an engine. */
  addTo(engine: SimulatedEngine): Promise<void>;
  stop(): Promise<void>;
}

/** Serves them. */
export async function serveFleet(fleet: SimFleetSpec): Promise<ServedFleet> {
  const directory = mkdtempSync(join(tmpdir(), 'handover-fleet-'));
  const inventory = join(directory, 'inventory.json');
  writeFileSync(inventory, JSON.stringify(fleet));
  const hosts = await SimhostProcess.start('--directory', directory, '--inventory', inventory);
  return {
    directory,
    process: hosts,
    async addTo(engine) {
      for (const { name, uri, peerUri } of hosts.ready.hosts) {
        const answer = await engine.ask('POST', 'hosts', { name, libvirt_uri: uri, peer_uri: peerUri });
        expect(answer.status, JSON.stringify(answer.body)).toBe(201);
      }
    },
    async stop() {
      await hosts.stop();
      rmSync(directory, { recursive: true });
    },
  };
}
