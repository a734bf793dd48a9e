/**
 * `npm run bench -- attach [--rounds N]`: what QEMU and the target's kernel do while a VF is attached after a
 * move by Handover: who has the host's CPU, and what the guest's vCPU, the thread of vhost and QEMU's main
 * loop wait for. From ftrace on the host. For each move the whole attach, and in it the longest time in which
 * no packet came from the guest through its standby's tap. Each round moves there and back.
 *
 * The lab's hosts have one emulated CPU; the shares mean something, the ms do not.
 */
import { parseArgs } from 'node:util';
import { consoleLog } from '../lab/console-log.ts';
import { withFreshLab } from '../lab/fresh-lab.ts';
import { bootGuest, waitForVf } from '../lab/guest.ts';
import { readTrace, startTrace } from '../lab/host-trace.ts';
import { Probe } from '../lab/probe.ts';
import { engineName, MIGRATION_LIMIT_MS, startLabEngine, waitForVm } from '../lab/scenarios/support.ts';
import type { Share, TraceRecord, TraceWindow } from '../lab/trace-record.ts';

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

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
await withFreshLab('bench attach', consoleLog(), async (lab) => {
  const guest = await bootGuest('a');
  const engine = await startLabEngine(lab);
  const probe = await Probe.start(guest.place.address);
  try {
    await waitForVm(engine.api, guest);
    for (let move = 0; move < 2 * Number(values.rounds); move++) {
      const to = move % 2 === 0 ? 'b' : 'a';
      await startTrace(to);
      const id = await engine.api.migrate(guest.place.name, engineName(to));
      const { state, error } = await engine.api.ended(id, MIGRATION_LIMIT_MS);
      if (state !== 'succeeded') throw new Error(`the job ${state}: ${error?.message}`);
      await waitForVf(to, guest);
      const record = await readTrace(to);
      console.log(`move ${move + 1}, to ${to}`);
      const attach = record.attach();
      const silence = attach && record.longestSilence(attach);
      if (!attach || !silence) throw new Error('the trace shows no attach: was it longer than its buffer?');
      print('the attach, until the traffic is on the VF', record, attach);
      print('longest silence of the standby in it', record, silence);
    }
  } finally {
    await probe.stop();
    await engine.stop();
  }
});
