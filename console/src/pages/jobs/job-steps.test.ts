/** The rows of a timeline. */
import { expect, test } from 'vitest';
import { aJobView, aStepView, JOB_START_MS, jobTime } from '../../../../test/support/job-views.ts';
import { stoodStillMs, timelineOf } from './job-steps.ts';

const rowsOf = (job: Parameters<typeof timelineOf>[0]) =>
  timelineOf(job).flatMap((row) => [row, ...row.parts].map(({ key, state }) => [key, state]));

test('steps to come are there from the beginning, with a part for every vNIC', () => {
  const steps = [aStepView('reserve'), aStepView('preflight', { state: 'started' })];
  expect(rowsOf(aJobView({ steps }))).toEqual([
    ['reserve', 'finished'],
    ['preflight', 'started'],
    ...[
      'disks',
      'shift',
      'unplug',
      'unplug nic1',
      'recheck',
      'transfer',
      'plug',
      'plug nic1',
      'verify',
      'release',
    ].map((name) => [name, 'pending']),
  ]);
});

test('a drill has steps of its own', () => {
  const keys = rowsOf(aJobView({ kind: 'drill_vm', steps: [aStepView('reserve')] })).map(([key]) => key);
  expect(keys.filter((key) => !key?.includes(' '))).toEqual([
    'reserve',
    'preflight',
    'shift',
    'unplug',
    'plug',
    'verify',
    'settle',
  ]);
});

test('a vNIC that had no VF has no part in the unplug', () => {
  const [vnic] = aJobView().vnics;
  const vnics = vnic === undefined ? [] : [{ ...vnic, sourceVf: null }];
  const keys = rowsOf(aJobView({ vnics })).map(([key]) => key);
  expect(keys).toContain('plug nic1');
  expect(keys).not.toContain('unplug nic1');
});

test('what a job does with a step decides how it is shown', () => {
  const stateOf = (job: Parameters<typeof aJobView>[0]) =>
    timelineOf(aJobView(job)).find(({ key }) => key === 'unplug')?.state;
  const running = [aStepView('unplug', { state: 'started' })];
  expect(stateOf({ steps: running, state: 'queued' })).toBe('waiting');
  expect(stateOf({ steps: running, state: 'needs_operator' })).toBe('failed');
  expect(stateOf({ steps: [aStepView('unplug')], state: 'undoing', step: 'unplug' })).toBe('undoing');
  expect(stateOf({ steps: [aStepView('unplug', { state: 'undone' })], state: 'undoing' })).toBe('undone');
  expect(stateOf({ state: 'failed', ended: true })).toBe('unreached');
});

test('a step the console does not know is shown all the same', () => {
  expect(rowsOf(aJobView({ steps: [aStepView('anew')] })).at(-1)).toEqual(['anew', 'finished']);
});

test('nothing ticks once a job has ended or stopped', () => {
  const steps = [aStepView('reserve'), aStepView('preflight', { state: 'started' })];
  expect(stoodStillMs(aJobView({ steps }))).toBe(null);
  expect(stoodStillMs(aJobView({ steps, state: 'needs_operator' }))).toBe(JOB_START_MS + 200);
  expect(stoodStillMs(aJobView({ steps, state: 'failed', endedAt: jobTime(900) }))).toBe(JOB_START_MS + 900);
});
