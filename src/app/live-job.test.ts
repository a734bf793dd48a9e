/** Where a live migration stands. */
import { expect, test } from 'vitest';
import { MIGRATION_STEPS } from '../migration/migrate-vm.ts';
import type { Job } from '../model/job.ts';
import { aCaller, aQueuedJob, aVm, hostId } from '../../test/support/builders.ts';
import { currentStep } from './live-job.ts';

const job = aQueuedJob(1, aCaller(), aVm(), hostId(1), {});
const indexOf = (name: string): number => MIGRATION_STEPS.findIndex((step) => step.name === name);
const at = (change: Partial<Job>): string | null => currentStep({ ...job, state: 'running', ...change });

test('a job that goes forward is in the step it does next', () => {
  expect(at({ stepIndex: indexOf('reserve'), state: 'queued' })).toBe('reserve');
  expect(at({ stepIndex: indexOf('transfer') })).toBe('transfer');
  expect(at({ stepIndex: indexOf('release'), pivoted: true, state: 'needs_operator' })).toBe('release');
});

test('a job that is taken back is in the step it takes back', () => {
  expect(at({ stepIndex: indexOf('unplug') + 1, state: 'undoing' })).toBe('unplug');
  expect(at({ stepIndex: indexOf('unplug') + 1, state: 'needs_operator' })).toBe('unplug');
});

test('a job that has ended, or has nothing left to do, is in none', () => {
  expect(at({ stepIndex: MIGRATION_STEPS.length })).toBe(null);
  expect(at({ stepIndex: indexOf('transfer'), state: 'failed' })).toBe(null);
  expect(at({ stepIndex: 0, state: 'undoing' })).toBe(null);
});
