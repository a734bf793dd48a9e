/** What is said about a job that did not succeed. */
import { expect, test } from 'vitest';
import { aJobView } from '../../../../test/support/job-views.ts';
import { adviceOf, whereText } from './job-advice.ts';

const failed = { state: 'failed', ended: true, step: null } as const;
const refused = { code: 'LIBVIRT_REFUSED', message: 'the disk of the host is full' };

test('one that was taken back says so, and where the VM is', () => {
  const job = aJobView({ ...failed, error: refused });
  expect(whereText(job)).toBe('web-1 stays on host-a; what was done has been taken back.');
  expect(adviceOf(job)).toEqual(['Mend what libvirt says, then migrate again.']);
});

test('one that was given up does not say that it was taken back, nor where the VM is', () => {
  const job = aJobView({ ...failed, error: refused, leftBehind: ['Job 1 was given up in step unplug'] });
  expect(whereText(job)).toBe('Not all that was done was taken back; what is left is named below.');
  expect(adviceOf(job)).toEqual(['See that web-1 runs on one host only, and clear what is left behind.']);
});

test('one whose VM may have gone down leaves it to its message to say where the VM is', () => {
  const error = { code: 'MIGRATION_FAILED', message: 'web-1 runs neither on host-a nor on host-b' };
  expect(whereText(aJobView({ ...failed, error }))).toBe('What was done has been taken back.');
});
