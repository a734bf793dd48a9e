/**
 * What a host's kernel says of its CPU, of QEMU's threads and of a tap, while something happens: ftrace, of
 * which the oldest is lost where it does not fit. Whoever starts it reads it, once. Callers: benches.
 */
import { gunzipSync } from 'node:zlib';
import { hostExec, tryHostExec } from './ssh.ts';
import type { HostLetter } from './topology.ts';
import { TraceRecord } from './trace-record.ts';

const TRACING = '/sys/kernel/tracing';
/** Half a minute of a busy host. */
const BUFFER_KIB = 32_768;
const READ_LIMIT_MS = 180_000;

/** Which threads' system calls are of interest; every thread's turn on the CPU is. */
const QEMU_ONLY = 'comm ~ "qemu*" || comm ~ "CPU*"';
const EVENTS: readonly (readonly [event: string, filter: string])[] = [
  ['sched/sched_switch', '0'],
  ['sched/sched_waking', '0'],
  ['syscalls/sys_enter_ioctl', QEMU_ONLY],
  ['syscalls/sys_exit_ioctl', QEMU_ONLY],
  ['syscalls/sys_enter_futex', QEMU_ONLY],
  ['syscalls/sys_exit_futex', QEMU_ONLY],
  ['net/netif_receive_skb', 'name ~ "vnet*"'],
];

/** Begins on one host; what it told before is forgotten. Throws if the host's kernel has no such trace. */
export async function startTrace(host: HostLetter): Promise<void> {
  const events = EVENTS.map(
    ([event, filter]) => `echo '${filter}' >events/${event}/filter; echo 1 >events/${event}/enable`,
  );
  await hostExec(
    host,
    [
      'set -e',
      `[ -e ${TRACING}/trace ] || mount -t tracefs none ${TRACING}`,
      `cd ${TRACING} && echo 0 >tracing_on && echo ${BUFFER_KIB} >buffer_size_kb && echo >trace`,
      ...events,
      'echo 1 >tracing_on',
    ].join('\n'),
    { limitMs: READ_LIMIT_MS },
  );
}

/** Ends it and reads it. Throws if it cannot be read. */
export async function readTrace(host: HostLetter): Promise<TraceRecord> {
  const end = 'echo 0 >tracing_on && echo 0 >events/enable';
  const read = `cd ${TRACING} && ${end} && gzip -1 <trace && echo >trace`;
  const { status, stdout, stderr } = await tryHostExec(host, read, { limitMs: READ_LIMIT_MS });
  if (status !== 0) throw new Error(`the trace of host ${host} cannot be read: ${stderr.trim()}`);
  return TraceRecord.of(gunzipSync(stdout).toString());
}
