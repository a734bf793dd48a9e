/**
 * `npm run bench -- gap [--rounds N] [--json FILE]`: how long nothing arrives from a guest at unplug,
 * switchover and plug, seen from outside by a probe every 10 ms, for five ways of working, in turns:
 * Handover, Handover where the guest's agent lets it shift nothing, the plain script of virsh commands, that
 * script with a standby that QEMU serves itself, and a VM without a VF under a bare `virsh migrate`. Each
 * round moves there and back. Prints medians and worst, and one JSON line.
 *
 * The lab's CPUs are emulated: only the ratios mean something, not the ms.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { consoleLog } from '../lab/console-log.ts';
import { withFreshLab } from '../lab/fresh-lab.ts';
import { bootGuest, type Guest, type GuestOptions, waitForVf } from '../lab/guest.ts';
import { VF_ALIAS } from '../lab/guest-xml.ts';
import { type Lab, resetHosts } from '../lab/lab.ts';
import { Probe } from '../lab/probe.ts';
import { other } from '../lab/scenarios/support.ts';
import type { HostLetter } from '../lab/topology.ts';
import { systemClock } from '../src/base/clock.ts';
import { DeviceWatch } from './support/device-watch.ts';
import { withHandover } from './support/engine-move.ts';
import { type Spread, spreadOf } from './support/medians.ts';
import { moveBare, moveByScript } from './support/virsh-move.ts';

/** After the move: the guest's bond settles on its VF, and is announced. */
const AFTERGLOW_MS = 4_000;
/** From the VF's removal until the transfer begins nothing is done to the guest. */
const UNPLUG_TAIL_MS = 500;

const WAYS = ['handover', 'handover, no shift', 'script', 'script, no vhost', 'virtio only'] as const;
type Way = (typeof WAYS)[number];
const PHASES = ['unplug', 'switchover', 'plug'] as const;
type Phase = (typeof PHASES)[number];

/** Longest silences of one move, ms; null = there is no such phase. */
type Gaps = Readonly<Record<Phase, number | null>>;

const GUEST_OF: Readonly<Record<Way, GuestOptions>> = {
  handover: {},
  'handover, no shift': { agent: 'refusing' },
  script: {},
  'script, no vhost': { standbyByQemu: true },
  'virtio only': { vf: null },
};

async function measured(guest: Guest, to: HostLetter, move: () => Promise<void>): Promise<Gaps> {
  const watches = { a: new DeviceWatch('a'), b: new DeviceWatch('b') };
  const probe = await Probe.start(guest.place.address);
  const fromMs = systemClock.now();
  try {
    await move();
    const hasVf = guest.shape.vfPciAddress !== undefined;
    const resumedMs = await watches[to].resumed(guest.place.name, fromMs);
    if (hasVf) await waitForVf(to, guest);
    await systemClock.sleep(AFTERGLOW_MS);
    const { record } = probe;
    const gap = (beginMs: number, endMs: number) => Math.round(record.longestGapBegun(beginMs, endMs));
    if (!hasVf) return { unplug: null, switchover: gap(fromMs, resumedMs), plug: null };
    const goneMs = (await watches[other(to)].first('device-removed', VF_ALIAS, fromMs)) + UNPLUG_TAIL_MS;
    return {
      unplug: gap(fromMs, goneMs),
      switchover: gap(goneMs, resumedMs),
      plug: gap(resumedMs, systemClock.now()),
    };
  } finally {
    await probe.stop();
    await Promise.all([watches.a.stop(), watches.b.stop()]);
  }
}

async function thereAndBack(guest: Guest, move: (to: HostLetter) => Promise<void>): Promise<Gaps[]> {
  const gaps: Gaps[] = [];
  for (const to of ['b', 'a'] as const) gaps.push(await measured(guest, to, () => move(to)));
  return gaps;
}

async function movesBy(way: Way, lab: Lab): Promise<Gaps[]> {
  const guest = await bootGuest('a', GUEST_OF[way]);
  if (way.startsWith('handover')) return withHandover(lab, guest, (move) => thereAndBack(guest, move));
  const move = way === 'virtio only' ? moveBare : moveByScript;
  return thereAndBack(guest, (to) => move(guest, to));
}

/** Median and worst of each phase. */
function summary(gaps: readonly Gaps[]): Record<Phase, Spread> {
  const of = (phase: Phase) => spreadOf(gaps.map((each) => each[phase]));
  return { unplug: of('unplug'), switchover: of('switchover'), plug: of('plug') };
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
});
const log = consoleLog();
const seen = await withFreshLab('bench gap', log, async (lab) => {
  const all = Object.fromEntries(WAYS.map((way) => [way, [] as Gaps[]])) as Record<Way, Gaps[]>;
  for (let round = 0; round < Number(values.rounds); round++) {
    // Who goes first changes: a lab that gets slower or faster favours nobody.
    for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
      await resetHosts(log);
      const gaps = await movesBy(way, lab);
      console.log(JSON.stringify({ round, way, gaps }));
      all[way].push(...gaps);
    }
  }
  return all;
});
const figures = Object.fromEntries(WAYS.map((way) => [way, summary(seen[way])])) as Record<
  Way,
  ReturnType<typeof summary>
>;
const shown = (spread: Spread): string =>
  spread.median === null ? '-' : `${spread.median} (${spread.worst})`;
console.log('longest silence, ms: median (worst)');
console.table(
  Object.fromEntries(
    WAYS.map((way) => [way, Object.fromEntries(PHASES.map((phase) => [phase, shown(figures[way][phase])]))]),
  ),
);
const result = { rounds: Number(values.rounds), figures, seen };
console.log(JSON.stringify(result));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(result));
