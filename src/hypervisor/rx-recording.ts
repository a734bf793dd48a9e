/**
 * What an interface of a guest receives, counted by the guest itself for a few seconds, without a word to the
 * agent meanwhile: while QEMU attaches a VF it lets no vCPU go on that needs it, and what the agent says is
 * such a need. On the lab a guest that is asked in that moment stands still for the whole attach, half a
 * second; one that is not asked loses a tenth of that. Used by the files of this folder.
 */
import type { Clock } from '../base/clock.ts';
import type { Agent } from './agent.ts';
import { interfaceFile } from './guest-agent.ts';
import type { RxCount, RxRecording } from './port.ts';

const LOOKS = 40;
const LOOK_EVERY_MS = 100;
/** The same, and what a slow guest takes longer. */
const ENDED_LIMIT_MS = 15_000;
const ASK_EVERY_MS = 500;
/** Uptime in seconds, and the counter, a line for each look. Some `sleep` take whole seconds only. */
const SCRIPT =
  `i=0; while [ $i -lt ${LOOKS} ]; do read -r up _ </proc/uptime && read -r n <"$1" || exit 1; ` +
  `echo "$up $n"; sleep ${LOOK_EVERY_MS / 1000} || exit 1; i=$((i+1)); done`;

/** See `Hypervisor.recordRxPackets`. */
export async function recordRxPackets(agent: Agent, clock: Clock, name: string): Promise<RxRecording | null> {
  const path = interfaceFile(name, 'statistics/rx_packets');
  if (path === null) return null;
  const pid = await agent.run('/bin/sh', ['-c', SCRIPT, 'record', path]);
  if (pid === null) return null;
  const beganAt = clock.now();
  return {
    async read() {
      const endMs = clock.monotonicMs() + ENDED_LIMIT_MS;
      for (;;) {
        const exit = await agent.exitOf(pid);
        if (exit) return countsOf(exit.printed, beganAt);
        if (clock.monotonicMs() >= endMs) return [];
        await clock.sleep(ASK_EVERY_MS);
      }
    },
  };
}

/** The guest's uptime tells how far apart its looks were, and the engine's clock when the first was. */
function countsOf(printed: string, beganAt: number): readonly RxCount[] {
  const rows = [...printed.matchAll(/^(\d{1,12}(?:\.\d{1,6})?) (\d{1,20})$/gm)];
  const firstMs = Number(rows[0]?.[1]) * 1000;
  return rows.map(([, up, count]) => ({
    at: beganAt + Math.round(Number(up) * 1000 - firstMs),
    count: Number(count),
  }));
}
