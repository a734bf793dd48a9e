/**
 * `npm run bench -- attach [--rounds N]`: what QEMU and the target's kernel do while a VF is attached after a
 * move by Handover: who has the host's CPU, and what the guest's vCPU, the thread of vhost and QEMU's main
 * loop wait for. From ftrace on the host. For each move the whole attach, and the longest time of which a
 * part is in it and in which no packet came from the guest through its standby's tap. Each round moves there
 * and back.
 *
 * The lab's hosts have one emulated CPU; the shares mean something, the ms do not.
 */
import { parseArgs } from 'node:util';
import { consoleLog } from '../lab/console-log.ts';
import { withFreshLab } from '../lab/fresh-lab.ts';
import { bootGuest, type Guest, waitForVf } from '../lab/guest.ts';
import { readTrace, startTrace } from '../lab/host-trace.ts';
import { Probe } from '../lab/probe.ts';
import type { Share, TraceRecord, TraceWindow } from '../lab/trace-record.ts';
import type { HostLetter } from '../lab/topology.ts';
import { withHandover } from './support/engine-move.ts';

const SHOWN_MS_MIN = 5;

const lengthMs = ({ fromMs, toMs }: TraceWindow): number => Math.round(toMs - fromMs);

/** Threads whose waiting matters; of the others only what they take of the CPU does. */
const CARRIES_TRAFFIC = /^CPU|^vhost/;

function print(title: string, record: TraceRecord, window: TraceWindow): void {
  console.log(`  ${title}: ${lengthMs(window)} ms`);
  for (const share of record.shares(window)) {
    if (share.ms < SHOWN_MS_MIN) continue;
    if (share.state === 'runs' || CARRIES_TRAFFIC.test(share.thread)) console.log(`    ${shown(share)}`);
  }
}

const shown = ({ thread, state, call, ms }: Share): string =>
  `${Math.round(ms).toString().padStart(5)} ms  ${thread} ${state}${call === null ? '' : ` in ${call}`}`;

async function profiled(to: HostLetter, guest: Guest, move: () => Promise<void>): Promise<void> {
  await startTrace(to);
  await move();
  await waitForVf(to, guest);
  const record = await readTrace(to);
  const attach = record.attach();
  const silence = attach && record.longestSilence(attach);
  if (!attach || !silence) throw new Error('the trace shows no attach: was it longer than its buffer?');
  print("from QEMU's first call to VFIO until its last", record, attach);
  print('longest silence of the standby in it', record, silence);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
await withFreshLab('bench attach', consoleLog(), async (lab) => {
  const guest = await bootGuest('a');
  // The traffic whose silence is looked for.
  const probe = await Probe.start(guest.place.address);
  try {
    await withHandover(lab, guest, async (move) => {
      for (let round = 1; round <= Number(values.rounds); round++)
        for (const to of ['b', 'a'] as const) {
          console.log(`round ${round}, to ${to}`);
          await profiled(to, guest, () => move(to));
        }
    });
  } finally {
    await probe.stop();
  }
});
