/** The figures of a job. */
import { expect, test } from 'vitest';
import { aJobView, aStepView, JOB_START_MS, jobTime } from '../../../../test/support/job-views.ts';
import { durationMs, onStandby } from './job-figures.ts';

const NOW_MS = JOB_START_MS + 9_000;
const moments = { ...aJobView().moments, unplugAskedAt: jobTime(1_000) };
const plugged = aStepView('plug', { vnic: 'nic1', endedAt: jobTime(6_000) });

test('a job that runs lasts until now, one that ended no longer', () => {
  expect(durationMs(aJobView(), NOW_MS)).toBe(9_000);
  expect(durationMs(aJobView({ startedAt: null }), NOW_MS)).toBe(null);
  expect(durationMs(aJobView({ ended: true, endedAt: jobTime(7_000) }), NOW_MS)).toBe(7_000);
});

test('the standby carries traffic from the unplug until the last VF is plugged', () => {
  expect(onStandby(aJobView(), NOW_MS)).toBe(null);
  expect(onStandby(aJobView({ moments }), NOW_MS)).toEqual({ ms: 8_000, isOver: false });
  expect(onStandby(aJobView({ moments, steps: [plugged] }), NOW_MS)).toEqual({ ms: 5_000, isOver: true });
});

test('of a job that was taken back it did until the end, of one that left a vNIC out it still does', () => {
  const ended = { moments, ended: true, endedAt: jobTime(4_000) };
  expect(onStandby(aJobView(ended), NOW_MS)).toEqual({ ms: 3_000, isOver: true });
  expect(onStandby(aJobView({ ...ended, pivoted: true }), NOW_MS)).toEqual({ ms: 3_000, isOver: false });
});
