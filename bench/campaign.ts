/**
 * `npm run bench -- campaign`: migrations a second of one core, in this process alone, every call through the
 * real client as bytes: the acts and looks of a migration alone (no campaign is faster), migrations in a
 * world where nothing goes wrong, and in episodes of a campaign. Always the same
 * migrations. Prints a table and one JSON line. What it tells is the CPU time: others on the machine change
 * little of it.
 */
import { episodeSeed } from '../test/campaign/campaign.ts';
import { playEpisode } from '../test/campaign/play-episode.ts';
import { bareWorld } from './support/bare-acts.ts';
import { migrate, quietWorld } from './support/quiet-world.ts';

const SEED = 5;
/** Until the machine code is as it stays. */
const WARM_UP = { bare: 1_500, quiet: 900, episodes: 3 } as const;
const BARE = 3_000;
const QUIET = 1_500;
const EPISODES = 15;
const SIZE = { hosts: 3, vms: 6, migrations: 100 } as const;

interface Measured {
  readonly world: 'bare' | 'quiet' | 'troubled';
  readonly migrations: number;
  readonly cpuSeconds: number;
  readonly perSecondOfOneCore: number;
}

async function measured(world: Measured['world'], work: () => Promise<number>): Promise<Measured> {
  const before = process.cpuUsage();
  const migrations = await work();
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = Number(((user + system) / 1e6).toFixed(2));
  return { world, migrations, cpuSeconds, perSecondOfOneCore: Math.round(migrations / cpuSeconds) };
}

/** Plays episodes `from` to `until`; returns how many migrations ended. */
async function episodes(from: number, until: number): Promise<number> {
  let ended = 0;
  for (let number = from; number < until; number++) {
    const result = await playEpisode({ seed: episodeSeed(SEED, number), size: SIZE });
    if (result.broken.length > 0) throw new Error(`episode ${number}: ${result.broken.join('; ')}`);
    for (const count of Object.values(result.ended)) ended += count;
  }
  return ended;
}

const alone = await bareWorld(SEED);
await alone.move(WARM_UP.bare);
const bare = await measured('bare', () => alone.move(BARE).then(() => BARE));
await alone.close();
const world = await quietWorld(SEED);
await migrate(world, WARM_UP.quiet);
const quiet = await measured('quiet', () => migrate(world, QUIET));
await world.close();
await episodes(0, WARM_UP.episodes);
const troubled = await measured('troubled', () => episodes(WARM_UP.episodes, WARM_UP.episodes + EPISODES));
console.table([bare, quiet, troubled]);
console.log(JSON.stringify({ bench: 'campaign', bare, quiet, troubled }));
