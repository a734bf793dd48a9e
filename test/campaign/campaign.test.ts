/** Campaigns: tens of thousands of migrations with everything going wrong, and proof that they would tell. */
import { expect, test } from 'vitest';
import { episodeSeed, runCampaign } from './campaign.ts';
import { PLANTED } from './planted.ts';
import { playEpisode } from './play-episode.ts';

const MIGRATIONS = 30_000;
const SIZE = { hosts: 3, vms: 6, migrations: 40 };

test(`${MIGRATIONS} migrations keep every promise, whatever goes wrong`, async () => {
  const lines: string[] = [];
  const options = { seed: 20261126, migrations: MIGRATIONS, hosts: 3, vms: 6 };
  const kept = await runCampaign({ ...options, print: (line) => lines.push(line) });
  console.log(lines.at(-1));
  expect(kept, lines.join('\n')).toBe(true);
});

test('the same seed is the same run, step by step', async () => {
  // One with much trouble in it.
  const [one, other] = [
    await playEpisode({ seed: episodeSeed(7, 3), size: SIZE, traced: true }),
    await playEpisode({ seed: episodeSeed(7, 3), size: SIZE, traced: true }),
  ];
  expect(one.trace.length).toBeGreaterThan(500);
  expect(other.trace).toEqual(one.trace);
});

test('another seed is another run', async () => {
  const one = await playEpisode({ seed: episodeSeed(7, 3), size: SIZE, traced: true });
  const other = await playEpisode({ seed: episodeSeed(8, 3), size: SIZE, traced: true });
  expect(other.trace).not.toEqual(one.trace);
});

test.each(PLANTED)('a product that %s is caught', async (planted) => {
  const broken = async (): Promise<boolean> => {
    for (let number = 0; number < 20; number++) {
      const result = await playEpisode({ seed: episodeSeed(1, number), size: SIZE, planted });
      if (result.broken.length > 0) return true;
    }
    return false;
  };
  expect(await broken()).toBe(true);
});
