/**
 * `worker.ts` and all it needs as one file of plain JavaScript: what tsx adds to every function so that it
 * keeps its name is a tenth of a campaign's time. Caller: `campaign.ts`, which removes it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A file to fork. */
export interface CompiledWorker {
  readonly path: string;
  remove(): Promise<void>;
}

/** Compiles it, in a new folder of its own. */
export async function compileWorker(): Promise<CompiledWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'handover-campaign-'));
  const path = join(folder, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'error',
  });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
