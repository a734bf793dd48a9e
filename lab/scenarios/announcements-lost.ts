/**
 * The network hears of no new place of the guest at first: what the guest's bond and QEMU announce by
 * themselves is dropped at each change of leg. What the engine has announced afterwards must end the silence;
 * without it the outside world goes on sending to the old place for half a minute.
 */
import { runInNamespace, tapName } from '../namespace.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import type { HostLetter } from '../topology.ts';
import { checkMovedTo, engineName, MIGRATION_LIMIT_MS, other, withEngine } from './support.ts';
import type { Guest } from '../guest.ts';

/** The bond of the lab's guests announces five times by itself. */
const DROPPED = 5;
/** A neighbour that hears nothing asks again after 30 s or so. */
const SILENCE_LIMIT_MS = 12_000;
const TABLE = ['bridge', 'lost'] as const;

/**
 * Where the guest's traffic comes from anew during a move: its standby, the same on the target, its VF there.
 */
const placesOf = (target: HostLetter): string[] => [
  tapName(other(target), 'uplink'),
  tapName(target, 'uplink'),
  tapName(target, 'pf'),
];

/** Drops the first announcements of the guest's address from each place. */
async function loseFirst(guest: Guest, target: HostLetter): Promise<void> {
  const nft = (...words: string[]) => runInNamespace(['nft', ...words]);
  await nft('add', 'table', ...TABLE);
  await nft('flush', 'table', ...TABLE);
  await nft('add', 'chain', ...TABLE, 'taps', '{ type filter hook prerouting priority 0 ; }');
  for (const tap of placesOf(target)) {
    const first = ['limit', 'rate', '1/day', 'burst', `${DROPPED}`, 'packets', 'counter', 'drop'];
    const gratuitous = ['arp', 'operation', 'request', 'arp', 'daddr', 'ip', guest.place.address];
    await nft('add', 'rule', ...TABLE, 'taps', 'iifname', tap, ...gratuitous, ...first);
    // What QEMU says for a NIC whose guest does not announce.
    await nft('add', 'rule', ...TABLE, 'taps', 'iifname', tap, 'ether', 'type', '0x8035', 'counter', 'drop');
  }
}

/** Announcements that were dropped at each place: by guest and by QEMU. */
async function lost(): Promise<[number, number][]> {
  const shown = await runInNamespace(['nft', 'list', 'table', ...TABLE]);
  const counts = [...shown.matchAll(/counter packets (\d+)/g)].map((match) => Number(match[1]));
  return [0, 2, 4].map((at) => [counts[at] ?? 0, counts[at + 1] ?? 0]);
}

const scenario: Scenario = {
  name: 'announcements-lost',
  title:
    'a guest whose announcements are lost at every change of leg is silent for seconds, not half a minute',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      for (const target of ['b', 'a'] as const) {
        await loseFirst(guest, target);
        const probe = await Probe.start(guest.place.address);
        const job = await api.ended(
          await api.migrate(guest.place.name, engineName(target)),
          MIGRATION_LIMIT_MS,
        );
        const totals = await probe.stop();
        checks.equal(`the job to ${target}`, [job.state, job.error], ['succeeded', null]);
        const dropped = await lost();
        checks.that(
          'announcements were lost at every change of leg',
          dropped.every(([guests, hosts]) => guests + hosts > 0),
          dropped,
        );
        checks.that(`no silence of ${SILENCE_LIMIT_MS} ms`, totals.longestGapMs < SILENCE_LIMIT_MS, totals);
        await checkMovedTo(checks, api, guest, target);
      }
    }),
};
export default scenario;
