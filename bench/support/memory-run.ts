/**
 * Moves VMs, `EVERY` migrations `LOOKS` times, and prints the heap after each as a JSON line. Run by
 * `bench/memory.ts` with `--expose-gc`; arguments EVERY and LOOKS.
 */
import { migrate, quietWorld } from './quiet-world.ts';

/** The heap once everything that can be was freed. */
export interface HeapLook {
  readonly migrations: number;
  readonly heapMiB: number;
}

const SEED = 5;
const [every = 0, looks = 0] = process.argv.slice(2).map(Number);
const collect = globalThis.gc;
if (!collect) throw new Error('this has to be run with --expose-gc');

const world = await quietWorld(SEED);
let migrations = 0;
for (let look = 0; look < looks; look++) {
  migrations += await migrate(world, every);
  collect();
  const heapMiB = Number((process.memoryUsage().heapUsed / 1024 / 1024).toFixed(1));
  const seen: HeapLook = { migrations, heapMiB };
  console.log(JSON.stringify(seen));
}
await world.close();
