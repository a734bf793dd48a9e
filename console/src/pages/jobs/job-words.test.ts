/** A job in sentences. */
import { expect, test } from 'vitest';
import { aJobView } from '../../../../test/support/job-views.ts';
import { changeText, jobProgress, outcomeText, standText, wayText } from './job-words.ts';

const GIB = 1024 ** 3;
const halfSent = { bytesTotal: 4 * GIB, bytesRemaining: 2 * GIB, iteration: 1, elapsedMs: 900 };

test('where a job stands is told by its step, and in the transfer by the memory', () => {
  expect(standText(aJobView())).toBe('Preflight (2 of 10)');
  const sending = aJobView({ step: 'transfer', progress: halfSent });
  expect(standText(sending)).toBe('Transfer (7 of 10), 50 % of the memory sent');
  expect(jobProgress(sending)).toBeCloseTo(0.65);
  expect(standText(aJobView({ state: 'queued', waitReason: 'host-a is busy' }))).toBe(
    'Waits: host-a is busy',
  );
  expect(standText(aJobView({ state: 'undoing', step: 'unplug' }))).toBe('Takes back: Unplug (5 of 10)');
});

test('how it ended names the host, and what is not in its VF', () => {
  const ended = { ended: true, step: null } as const;
  expect(outcomeText(aJobView({ ...ended, state: 'succeeded' }))).toBe('The VM moved to host-b.');
  const [vnic] = aJobView().vnics;
  const vnics = vnic === undefined ? [] : [{ ...vnic, state: 'unplugged' as const }];
  expect(outcomeText(aJobView({ ...ended, state: 'succeeded', vnics }))).toBe(
    'The VM arrived on host-b without nic1 in its VF.',
  );
  expect(outcomeText(aJobView({ ...ended, state: 'cancelled' }))).toBe('The VM stayed on host-a.');
  const error = { code: 'UNPLUG_TIMED_OUT', message: 'the guest refused' };
  expect(outcomeText(aJobView({ ...ended, state: 'failed', error }))).toBe('the guest refused');
});

test('a drill is told as what it is', () => {
  const drill = aJobView({ kind: 'drill_vm', state: 'running', step: 'unplug', target: 'host-a' });
  expect([wayText(drill), standText(drill)]).toEqual(['drill on host-a', 'Unplug (4 of 7)']);
  const done = { ...drill, state: 'succeeded', ended: true, pivoted: true, step: null } as const;
  expect(outcomeText(done)).toBe('Everything is as it was.');
  expect(changeText(drill, done)).toBe('The drill of web-1 on host-a succeeded.');
});

test('steps, the pivot and the end are told; memory that goes across is not', () => {
  const sending = aJobView({ step: 'transfer', progress: halfSent });
  expect(changeText(aJobView({ step: 'recheck' }), sending)).toBe('Step Transfer has begun.');
  expect(changeText(sending, { ...sending, progress: { ...halfSent, bytesRemaining: GIB } })).toBe('');
  const there = aJobView({ step: 'plug', pivoted: true });
  expect(changeText(sending, there)).toBe('web-1 runs on host-b. Step Plug has begun.');
  const done = aJobView({ state: 'succeeded', ended: true, step: null, pivoted: true });
  expect(changeText(there, done)).toBe('The migration of web-1 from host-a to host-b succeeded.');
  expect(changeText(done, done)).toBe('');
});

test('that it is taken back is told, step by step', () => {
  const back = aJobView({ state: 'undoing', step: 'unplug' });
  expect(changeText(aJobView({ step: 'transfer' }), back)).toBe(
    'The migration is taken back; the VM stays on its source. Step Unplug is taken back.',
  );
});
