/**
 * How long things take in the simulation, and how a duration is drawn. The figures follow what was measured
 * on real libvirt 11.3 with QEMU 10 and small guests; `[min, max]` in ms, drawn evenly.
 */
import type { Random } from '../base/random.ts';

/** From and to, in ms. */
export type RangeMs = readonly [min: number, max: number];

export const TIMINGS = {
  /** QEMU's start of a guest until libvirt returns. */
  start: [150, 400],
  /** Guest kernel to guest agent. */
  agentBoot: [2000, 4000],
  shutdown: [800, 2000],
  deviceAdd: [40, 120],
  /** From device_add to a link that is up in the guest. */
  guestNicUp: [100, 500],
  /** libvirtd's round trips of a device_del request. */
  deviceDel: [5, 15],
  begin: [5, 15],
  /** Start of the paused QEMU on the target. */
  prepare: [250, 450],
  /** Fixed cost of a switch-over beyond sending what is left. */
  switchover: [20, 60],
  /** From the end of the transfer to the guest running on the target. */
  finish: [60, 160],
  /** Target's job stays open for so long after the guest resumed there. */
  finishTail: [250, 500],
  /** Source's QEMU is killed and libvirt answers. */
  confirm: [450, 650],
  abort: [300, 900],
} as const satisfies Record<string, RangeMs>;

/** virDomainDetachDeviceFlags waits so long for the guest before it answers OK without a removal. */
export const DETACH_WAIT_MS = 5000;
/** A call that changes a domain waits so long for the job that holds it (QEMU_JOB_WAIT_TIME). */
export const JOB_WAIT_MS = 30_000;
/** libvirt's keepalive gives a silent peer up after this time. */
export const SILENCE_MS = 30_000;
/** QEMU's default of the downtime limit. */
export const DEFAULT_DOWNTIME_MS = 300;

/** A duration drawn from `range`, whole ms. */
export function drawMs(random: Random, range: RangeMs): number {
  return Math.round(range[0] + random.next() * (range[1] - range[0]));
}
