/**
 * What the demo plays on: an engine with hosts and one VM that moves between two of them. Made by
 * `lab-stage.ts` or here.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineProcess } from '../../lab/engine.ts';
import { EngineApi } from '../../lab/engine-api.ts';
import { unlessAborted } from '../../lab/unless-aborted.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import { type Measured, NOTHING_MEASURED } from './report.ts';

/** One measurement that runs across one migration. */
export interface Measurement {
  /** Ends it; `job` is the job it ran across, as it ended. */
  finish(job: JobView): Promise<Measured>;
  /** Ends it for a migration that never began. */
  discard(): Promise<void>;
}

/** Where the demo plays. */
export interface Stage {
  readonly mode: 'lab' | 'simulated';
  readonly engine: EngineProcess;
  readonly api: EngineApi;
  readonly vm: string;
  /** The VM goes to the second, then back to the first. */
  readonly hosts: readonly [string, string];
  /** How long one migration may take. */
  readonly limitMs: number;
  measure(): Promise<Measurement>;
  /** Ends all of it, within 5 s. */
  close(): Promise<void>;
}

/** Where the engine's data goes, and what removes it afterwards if it was made for this run. */
export function dataDirectory(wanted: string | null): { path: string; remove(): void } {
  if (wanted !== null) return { path: wanted, remove() {} };
  const path = mkdtempSync(join(tmpdir(), 'handover-demo-'));
  // PostgreSQL of an engine that was still starting may be writing its last.
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Simulated hosts: the engine brings them itself. */
export async function simulatedStage(options: {
  dataDir: string | null;
  port: number;
  password: string;
  /** Ends the start and leaves nothing of it running. */
  signal: AbortSignal;
}): Promise<Stage> {
  const data = dataDirectory(options.dataDir);
  const engine = new EngineProcess({
    dataDir: data.path,
    port: options.port,
    password: options.password,
    sshConfigPath: null,
  });
  const close = async () => {
    await engine.stop();
    data.remove();
  };
  try {
    await unlessAborted(options.signal, engine.start());
  } catch (error) {
    await close();
    throw error;
  }
  return {
    mode: 'simulated',
    engine,
    api: new EngineApi(() => engine.url, options.password),
    vm: 'web-1',
    hosts: ['host-a', 'host-b'],
    limitMs: 120_000,
    // Simulated traffic would be an invention; what libvirt reports (downtime) is the model's own figure.
    measure: async () => ({ finish: async () => NOTHING_MEASURED, discard: async () => {} }),
    close,
  };
}
