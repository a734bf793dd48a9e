/**
 * `npm run bench -- memory [--migrations N]`: one engine that moves VMs N times in a row (default 100000), in
 * a process of its own, and its heap after a full collection at every tenth of them. Prints a table and one
 * JSON line; ends with 1 if the heap grew.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { HeapLook } from './support/memory-run.ts';

const SCRIPT = fileURLToPath(new URL('support/memory-run.ts', import.meta.url));
const LOOKS = 10;
/**
 * From the second look to the last: what the machine code and the texts that are remembered
 * (`src/hypervisor/remember.ts`) come and go by. 100 bytes kept of each migration would be as much.
 */
const GROWTH_MIB_MAX = 8;

const { values } = parseArgs({ options: { migrations: { type: 'string', default: '100000' } } });
const every = Math.ceil(Number(values.migrations) / LOOKS);
if (!Number.isSafeInteger(every) || every <= 0)
  throw new Error(`--migrations must be a positive number, not "${values.migrations}"`);

const args = ['--expose-gc', '--import', 'tsx', SCRIPT, String(every), String(LOOKS)];
const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = once(child, 'close');
const looks: HeapLook[] = [];
for await (const line of createInterface({ input: child.stdout })) {
  const look = JSON.parse(line) as HeapLook;
  console.error(`${look.migrations} migrations: ${look.heapMiB.toFixed(1)} MiB`);
  looks.push(look);
}
const [exitCode] = (await ended) as [number | null];
if (exitCode !== 0) throw new Error(`the process that migrates ended with ${exitCode}`);

const [, second] = looks;
const growthMiB = Number(((looks.at(-1)?.heapMiB ?? 0) - (second?.heapMiB ?? 0)).toFixed(1));
const flat = growthMiB <= GROWTH_MIB_MAX;
console.table(looks);
console.log(JSON.stringify({ bench: 'memory', looks, growthMiB, growthMiBMax: GROWTH_MIB_MAX, flat }));
if (!flat) process.exitCode = 1;
