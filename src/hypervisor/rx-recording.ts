/**
 * What interfaces of a guest receive, counted by the guest itself for a while, without a word to the agent
 * meanwhile. While QEMU attaches a VF it lets no vCPU go on that needs it, and what the agent says is such a
 * need: on the lab a guest that is asked in that moment stands still for the whole attach, half a second; one
 * that is not asked loses a tenth of that. And a guest that is busy answers late, which looks like a silence
 * of its network. Used by the files of this folder.
 */
import type { Clock } from '../base/clock.ts';
import { type Agent, endOf } from './agent.ts';
import { interfaceFile } from './guest-agent.ts';
import type { RxCounts, RxRecording } from './port.ts';

const LOOKS = 300;
const LOOK_EVERY_MS = 100;
/** What its process is known by. */
export const COUNT_NAME = 'handover-count';
/** A slow guest takes its time to end a command, and to tell what it printed. */
const ENDED_LIMIT_MS = 5_000;
/**
 * Uptime in seconds, and each counter, a line for each look. One process for all, and not before other work
 * of the guest (`chrt`): where it has little CPU, two such counts left it too little. Some `sleep` take whole
 * seconds only. Its arguments: a name to be known by, and the counters' files.
 */
export const COUNT =
  `i=0; while [ $i -lt ${LOOKS} ]; do read -r line _ </proc/uptime || exit 1; ` +
  `for counter; do read -r n <"$counter" || exit 1; line="$line $n"; done; ` +
  `echo "$line"; sleep ${LOOK_EVERY_MS / 1000} || exit 1; i=$((i+1)); done`;
/** Kills it only if the process is still ours: its number may have been given to another. */
export const END = `grep -qs ${COUNT_NAME} "/proc/$1/cmdline" && kill "$1"`;

/** See `Hypervisor.recordRxPackets`. */
export async function recordRxPackets(
  agent: Agent,
  clock: Clock,
  names: readonly string[],
): Promise<RxRecording | null> {
  const paths: string[] = [];
  for (const name of names) {
    const path = interfaceFile(name, 'statistics/rx_packets');
    if (path === null) return null;
    paths.push(path);
  }
  const pid = await agent.run('/bin/sh', ['-c', COUNT, COUNT_NAME, ...paths]);
  return pid === null ? null : { pid, beganAt: clock.now(), lengthMs: LOOKS * LOOK_EVERY_MS };
}

/** See `Hypervisor.endRxRecording`. */
export async function endRxRecording(
  agent: Agent,
  clock: Clock,
  { pid, beganAt }: RxRecording,
): Promise<readonly RxCounts[]> {
  const ending = await agent.run('/bin/sh', ['-c', END, 'end', `${pid}`]);
  const exit = await endOf(agent, clock, pid, ENDED_LIMIT_MS);
  // The agent keeps what it knows of a command until somebody asks how it ended.
  if (ending !== null) await agent.exitOf(ending);
  return countsOf(exit?.printed ?? '', beganAt);
}

/** The guest's uptime tells how far apart its looks were, and the engine's clock when the first was. */
function countsOf(printed: string, beganAt: number): readonly RxCounts[] {
  const rows = [...printed.matchAll(/^(\d{1,12}(?:\.\d{1,6})?)((?: \d{1,20})+)$/gm)];
  const firstMs = Number(rows[0]?.[1]) * 1000;
  return rows.map(([, up, counts = '']) => ({
    at: beganAt + Math.round(Number(up) * 1000 - firstMs),
    counts: counts.trim().split(' ').map(Number),
  }));
}
