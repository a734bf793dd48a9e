/**
 * `npm run bench -- migration [--rounds N] [--json FILE]`: the same guest, on the lab, moved there and back,
 * twice a turn, by Handover and by a plain script of virsh commands (bench/support/virsh-move.sh), in turns,
 * everything seen from outside with the same instruments: a probe every 10 ms, and `virsh event` on the
 * hosts. Prints a table and one JSON line.
 *
 * The lab's CPUs are emulated: only the ratio means something, not the ms.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { consoleLog } from '../lab/console-log.ts';
import { bootGuest, type Guest, waitForActive } from '../lab/guest.ts';
import { VF_ALIAS, vfInterfaceName } from '../lab/guest-xml.ts';
import { withFreshLab } from '../lab/fresh-lab.ts';
import type { Lab } from '../lab/lab.ts';
import { Probe } from '../lab/probe.ts';
import { other } from '../lab/scenarios/support.ts';
import type { HostLetter } from '../lab/topology.ts';
import { systemClock } from '../src/base/clock.ts';
import { DeviceWatch } from './support/device-watch.ts';
import { withHandover } from './support/engine-move.ts';
import { spreadOf } from './support/medians.ts';
import { moveByScript } from './support/virsh-move.ts';

/** After the move: the guest's bond settles on its VF. */
const AFTERGLOW_MS = 3_000;
/** One turn: there and back, twice, so that a turn is not ruled by the engine's start. */
const TURN: readonly HostLetter[] = ['b', 'a', 'b', 'a'];

/** One move as seen from outside. */
interface Move {
  readonly by: 'handover' | 'virsh';
  readonly target: HostLetter;
  /** Longest time without an answer to the probe. */
  readonly longestGapMs: number;
  /** From the VF's removal on the source until its arrival on the target. */
  readonly withoutVfMs: number;
  /** From the request until it was answered as done. */
  readonly wholeMs: number;
}

async function measured(guest: Guest, to: HostLetter, by: Move['by'], move: () => Promise<void>) {
  const watches = { a: new DeviceWatch('a'), b: new DeviceWatch('b') };
  const probe = await Probe.start(guest.place.address);
  const fromMs = systemClock.now();
  try {
    await move();
    const wholeMs = systemClock.now() - fromMs;
    const gone = await watches[other(to)].first('device-removed', VF_ALIAS, fromMs);
    const back = await watches[to].first('device-added', VF_ALIAS, fromMs);
    await waitForActive(to, guest, vfInterfaceName(guest.machine));
    await systemClock.sleep(AFTERGLOW_MS);
    const { longestGapMs } = probe.window(fromMs, systemClock.now());
    const seen: Move = {
      by,
      target: to,
      longestGapMs: Math.round(longestGapMs),
      withoutVfMs: back - gone,
      wholeMs,
    };
    console.log(JSON.stringify(seen));
    return seen;
  } finally {
    await probe.stop();
    await Promise.all([watches.a.stop(), watches.b.stop()]);
  }
}

function byHandover(lab: Lab, guest: Guest): Promise<Move[]> {
  return withHandover(lab, guest, async (move) => {
    const moves: Move[] = [];
    for (const to of TURN) moves.push(await measured(guest, to, 'handover', () => move(to)));
    return moves;
  });
}

async function byVirsh(guest: Guest): Promise<Move[]> {
  const moves: Move[] = [];
  for (const to of TURN) {
    moves.push(await measured(guest, to, 'virsh', () => moveByScript(guest, to)));
  }
  return moves;
}

/** Medians of both, and Handover's share of the script's: below 1 is better. */
function summary(moves: readonly Move[]) {
  const median = (by: Move['by'], field: 'longestGapMs' | 'withoutVfMs' | 'wholeMs') => {
    const values = moves.filter((move) => move.by === by).map((move) => move[field]);
    return spreadOf(values).median ?? 0;
  };
  const figures = (by: Move['by']) => ({
    longestGapMs: median(by, 'longestGapMs'),
    withoutVfMs: median(by, 'withoutVfMs'),
    wholeMs: median(by, 'wholeMs'),
  });
  const [handover, virsh] = [figures('handover'), figures('virsh')];
  const share = (field: keyof typeof virsh) => Number((handover[field] / virsh[field]).toFixed(2));
  const ratio = {
    longestGapMs: share('longestGapMs'),
    withoutVfMs: share('withoutVfMs'),
    wholeMs: share('wholeMs'),
  };
  return { handover, virsh, ratio };
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const moves = await withFreshLab('bench migration', consoleLog(), async (lab) => {
  const seen: Move[] = [];
  const guest = await bootGuest('a');
  // Not counted: hosts that have moved nothing yet are slower, and who goes first would pay for it.
  await byVirsh(guest);
  for (let round = 0; round < Number(values.rounds); round++) {
    // Who goes first changes: a lab that gets slower or faster favours nobody.
    const turns = [() => byHandover(lab, guest), () => byVirsh(guest)];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) seen.push(...(await turn()));
  }
  return seen;
});
const result = { rounds: Number(values.rounds), ...summary(moves), moves };
const { handover, virsh, ratio } = result;
console.table({ handover, virsh, ratio });
console.log(JSON.stringify(result));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(result));
