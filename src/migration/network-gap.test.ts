/** The network gap from moments of delivery. */
import { expect, test } from 'vitest';
import { networkGapOf, type TrafficRecord, wholeGap } from './network-gap.ts';

const MARKS = { unplugAskedAt: 1_000, transferStartedAt: 2_000, plugAskedAt: 5_000 };
const record = (arrivals: readonly number[], more: Partial<TrafficRecord> = {}): TrafficRecord => ({
  vnicId: null,
  by: 'probe',
  everyMs: 10,
  arrivals,
  endedAt: arrivals.at(-1) ?? 0,
  unseen: [],
  unansweredMs: 0,
  lateMs: 0,
  looksBefore: 100,
  arrivalsBefore: 100,
  doubt: null,
  ...more,
});

test('a gap belongs to the phase in which it began', () => {
  const arrivals = [100, 900, 1_050, 1_110, 2_400, 4_900, 5_300, 5_310, 5_700];
  expect(networkGapOf(record(arrivals), MARKS).gapMs).toEqual({
    unplug: 1_290,
    switchover: 2_500,
    plug: 390,
    longest: 2_500,
  });
});

test('what was before the unplug does not count, what lasted into it does', () => {
  expect(networkGapOf(record([0, 700, 800, 1_100, 1_150]), MARKS).gapMs).toMatchObject({
    unplug: 300,
    switchover: null,
    plug: null,
  });
});

test('a quiet network, or one that was hardly looked at, tells nothing and says so', () => {
  const quiet = networkGapOf(record([100, 900, 4_000], { arrivalsBefore: 79 }), MARKS);
  expect(quiet).toMatchObject({ gapMs: null, doubt: expect.stringContaining('probe address') as string });
  expect(networkGapOf(record([], { looksBefore: 4, arrivalsBefore: 4 }), MARKS).gapMs).toBeNull();
  expect(networkGapOf(record([], { doubt: 'no fping' }), MARKS)).toMatchObject({ doubt: 'no fping' });
});

test('what nobody looked at is not told, and the rest is', () => {
  const unseen = [{ fromMs: 4_998, toMs: 5_600 }];
  const gap = networkGapOf(record([900, 1_050, 2_400, 4_900, 5_700, 6_000], { unseen }), MARKS);
  expect(gap.gapMs).toEqual({ unplug: 1_350, switchover: 2_500, plug: null, longest: 2_500 });
  expect(gap.doubt).toContain('probe address');
});

test('what nobody looked at before the transfer says nothing of the switchover, which is told', () => {
  const unseen = [{ fromMs: 1_200, toMs: 1_990 }];
  const gap = networkGapOf(record([900, 1_050, 2_100, 4_900, 5_700, 6_000], { unseen }), MARKS);
  expect(gap.gapMs).toEqual({ unplug: null, switchover: 2_800, plug: 300, longest: 2_800 });
});

test('a gap that is longer than what was seen of it is not told', () => {
  const unseen = [{ fromMs: 4_998, toMs: 5_600 }];
  const gap = networkGapOf(record([900, 1_050, 2_100, 2_200, 5_700, 6_000], { unseen }), MARKS);
  expect(gap.gapMs).toEqual({ unplug: 1_050, switchover: null, plug: null, longest: 1_050 });
});

test('a silence that goes on when the watch ends is as long as it was watched', () => {
  const gap = networkGapOf(record([900, 1_050, 2_100, 5_100], { endedAt: 21_000 }), MARKS);
  expect(gap.gapMs).toMatchObject({ plug: 15_900, longest: 15_900 });
});

test('figures from a time without answers say how they were come by', () => {
  const gap = networkGapOf(record([900, 1_050, 2_400, 4_900, 5_700], { unansweredMs: 2_480 }), MARKS);
  expect(gap.gapMs?.switchover).toBe(2_500);
  expect(gap.doubt).toContain('nothing answered for 2.5 s');
});

test('of the whole VM, what was seen from outside counts before what the guest says; else the worst', () => {
  const gap = (longest: number) => ({ unplug: longest, switchover: null, plug: null, longest });
  const vnic = (longest: number) => ({
    vnicId: null,
    by: 'guest' as const,
    everyMs: 100,
    gapMs: gap(longest),
    doubt: null,
  });
  expect(wholeGap([vnic(3), vnic(7)])).toEqual(gap(7));
  expect(wholeGap([vnic(3), { ...vnic(1), by: 'probe' }])).toEqual(gap(1));
  expect(wholeGap([])).toBeNull();
  expect(wholeGap([{ ...vnic(1), gapMs: null, doubt: 'quiet' }])).toBeNull();
});
