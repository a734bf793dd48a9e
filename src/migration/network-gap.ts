/**
 * The network gap of a migration or a drill, from moments at which something was seen to be delivered. Pure.
 *
 * A gap is the time between two such moments; it belongs to the phase in which it began. Moments that are
 * looked for every 100 ms make every gap 100 ms at least, so a record says how often it was looked.
 */
import type { VnicId } from '../base/ids.ts';
import type { MigrationData, NetworkGap, NetworkGapMs } from '../model/job.ts';

/** What was seen delivered to a bond of the guest, or to an address of the VM. */
export interface TrafficRecord {
  /** The vNICs whose traffic it is; empty: the whole VM's. */
  readonly vnicId: VnicId | null;
  readonly by: NetworkGap['by'];
  /** Time between two looks, ms. */
  readonly everyMs: number;
  /** Wall clock ms, ascending. */
  readonly arrivals: readonly number[];
  /** The last look, or the end of the probe; wall clock ms. */
  readonly endedAt: number;
  /** Parts of the time in which nobody looked. */
  readonly unseen: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** The longest time in which nobody answered, which was filled by what was received in it. */
  readonly unansweredMs: number;
  /** The longest time in which it was not looked in time, although as much was received as before. */
  readonly lateMs: number;
  /** Looks of the time before the unplug, and those that saw something new. */
  readonly looksBefore: number;
  readonly arrivalsBefore: number;
  /** Why nothing can be said; null = it can. */
  readonly doubt: string | null;
}

/** Below it a gap of a quiet network looks like one of the migration. */
const BUSY_SHARE_MIN = 0.8;
const LOOKS_MIN = 5;

/** The gap of one record, over the phases of a migration as far as it went. */
export function networkGapOf(record: TrafficRecord, data: MigrationData): NetworkGap {
  const { vnicId, by, everyMs } = record;
  const doubt = record.doubt ?? doubtOf(record);
  const gapMs = doubt === null ? gapsIn(record, data) : null;
  return { vnicId, by, everyMs, gapMs, doubt: gapMs === null ? doubt : reserveOf(record) };
}

/** What there is to be said of figures that are known; null: nothing. */
function reserveOf({ unseen, unansweredMs, lateMs }: TrafficRecord): string | null {
  const seconds = (unansweredMs / 1000).toFixed(1);
  const guess =
    `nothing answered for ${seconds} s: the gap is told by how much less was received in it than ` + 'before';
  const late =
    `nothing was counted for ${lateMs} ms, although as much was received as before: a gap may be shorter ` +
    'than told; give the VM a probe address to know it';
  const said = [
    ...(unseen.length > 0 ? [BLIND] : []),
    ...(unansweredMs > 0 ? [guess] : []),
    ...(lateMs > 0 ? [late] : []),
  ];
  return said.length === 0 ? null : said.join('; ');
}

const BLIND =
  'for a part of the time the guest was left alone, and it could not count by itself; give the VM a probe ' +
  'address to know all of the gap';

function doubtOf({ looksBefore, arrivalsBefore }: TrafficRecord): string | null {
  if (looksBefore < LOOKS_MIN) return 'too little was seen before the VFs left';
  if (arrivalsBefore / looksBefore >= BUSY_SHARE_MIN) return null;
  return 'there was too little traffic to tell a gap from a pause; give the VM a probe address';
}

function gapsIn({ arrivals, endedAt, unseen, everyMs }: TrafficRecord, data: MigrationData): NetworkGapMs {
  const { plugAskedAt = Infinity } = data;
  // A drill sends nothing: what begins before the plug is of the unplug.
  const { transferStartedAt = plugAskedAt } = data;
  const { unplugAskedAt = transferStartedAt } = data;
  const phaseAt = (at: number) =>
    at < transferStartedAt ? 'unplug' : at < plugAskedAt ? 'switchover' : 'plug';
  const gaps = { unplug: 0, switchover: 0, plug: 0 };
  const cut = { unplug: 0, switchover: 0, plug: 0 };
  for (const [index, arrival] of arrivals.entries()) {
    // What goes on when the watch ends is as long at least.
    const next = arrivals[index + 1] ?? endedAt;
    // One that was under way when the VFs were asked for counts: the shift may have begun it.
    if (next < unplugAskedAt) continue;
    const phase = phaseAt(arrival);
    const hidden = unseen.filter(({ fromMs, toMs }) => arrival < toMs && next > fromMs);
    const seenTo = Math.min(next, ...hidden.map(({ fromMs }) => fromMs));
    const gap = hidden.length > 0 ? cut : gaps;
    gap[phase] = Math.max(gap[phase], seenTo - arrival);
  }
  const phases = [
    ['unplug', unplugAskedAt, transferStartedAt],
    ['switchover', transferStartedAt, plugAskedAt],
    ['plug', plugAskedAt, Infinity],
  ] as const;
  // The longest of a phase may be in what nobody saw of it.
  for (const { fromMs, toMs } of unseen)
    for (const [phase, beginMs, endMs] of phases)
      if (Math.min(toMs, endMs) - Math.max(fromMs, beginMs) > everyMs / 2) gaps[phase] = 0;
  // Nor is known how long one was that had gone on for longer when nobody looked any more.
  for (const [phase] of phases) if (cut[phase] > gaps[phase]) gaps[phase] = 0;
  const seen = (phase: keyof typeof gaps) => (gaps[phase] === 0 ? null : Math.round(gaps[phase]));
  return {
    unplug: seen('unplug'),
    switchover: seen('switchover'),
    plug: seen('plug'),
    longest: Math.round(Math.max(...Object.values(gaps))) || null,
  };
}

/** The figures of the whole VM: those seen from outside, else the worst of its vNICs; null = not known. */
export function wholeGap(gaps: readonly NetworkGap[]): NetworkGapMs | null {
  const told = gaps.flatMap(({ gapMs }) => (gapMs ? [gapMs] : []));
  const outside = gaps.find(({ by }) => by === 'probe')?.gapMs;
  if (outside) return outside;
  if (told.length === 0) return null;
  const worst = (phase: keyof NetworkGapMs) => Math.max(...told.map((each) => each[phase] ?? 0)) || null;
  return {
    unplug: worst('unplug'),
    switchover: worst('switchover'),
    plug: worst('plug'),
    longest: worst('longest'),
  };
}
