/** Where the guest and its VFs are, as the steps tell. */
import { expect, test } from 'vitest';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { aJobView, aStepView, jobTime } from '../../../../test/support/job-views.ts';
import type { StepView } from './job-queries.ts';
import { guestSide, movesOf, pictureText } from './vf-moves.ts';

const part = (name: string, state: StepView['state']) => aStepView(name, { vnic: 'nic1', state });

/** Place, and what the two VFs are. */
function told(job: Partial<JobView>): readonly unknown[] {
  const [move] = movesOf(aJobView(job));
  return [move?.place, move?.source?.word, move?.target.word];
}

test('a vNIC goes from VF to VF over the standby', () => {
  expect(told({})).toEqual(['source', 'in use', 'reserved']);
  expect(told({ steps: [part('unplug', 'started')] })).toEqual(['leaving', 'asked back', 'reserved']);
  const out = part('unplug', 'finished');
  expect(told({ steps: [out] })).toEqual(['standby', 'reserved', 'reserved']);
  expect(told({ steps: [out, part('plug', 'started')] })).toEqual(['arriving', 'reserved', 'being plugged']);
  const steps = [out, part('plug', 'finished'), aStepView('release')];
  expect(told({ steps })).toEqual(['target', 'released', 'in use']);
});

test('one that is taken back is in its VF again, and the other VF is released', () => {
  const steps = [part('unplug', 'undone'), aStepView('reserve', { state: 'undone' })];
  expect(told({ steps, state: 'undoing' })).toEqual(['source', 'in use', 'released']);
});

test('one that could not be plugged stays on the standby', () => {
  const steps = [part('unplug', 'finished'), part('plug', 'failed')];
  expect(told({ steps, ended: true, state: 'succeeded' })[0]).toBe('standby');
});

test('the guest changes its host at the pivot', () => {
  expect(guestSide(aJobView({ step: 'transfer' }))).toBe('source');
  const moments = { ...aJobView().moments, resumedAt: jobTime(900) };
  expect(guestSide(aJobView({ step: 'transfer', moments }))).toBe('target');
  expect(guestSide(aJobView({ pivoted: true }))).toBe('target');
});

test('the sentences say what the picture shows', () => {
  expect(pictureText(aJobView({ steps: [part('unplug', 'finished')] }))).toEqual([
    'web-1 runs on host-a.',
    'nic1: On standby; VF 0000:3b:02.0 on host-a is reserved, ' + 'VF 0000:5e:02.3 on host-b is reserved.',
  ]);
  expect(pictureText(aJobView({ vnics: [] })).at(-1)).toBe('The VFs of the target are not chosen yet.');
});
