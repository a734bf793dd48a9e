/** Counting of vitest's reports: a file that breaks off is a failure, even if none of its tests failed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCount } from './run-vitest.ts';

function countOf(testResults: object[]) {
  const folder = mkdtempSync(join(tmpdir(), 'handover-count-'));
  try {
    writeFileSync(join(folder, 'report.json'), JSON.stringify({ testResults }));
    return readCount(join(folder, 'report.json'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tests = (...states: string[]): object[] =>
  states.map((status) => ({
    status,
    fullName: `a ${status} test`,
    failureMessages: status === 'failed' ? ['Error: said\n\n  at 1\n at 2\n at 3\n at 4\n at 5\n at 6'] : [],
  }));

test('tests are counted by their state; failures say why in a few lines', () => {
  expect(
    countOf([
      { name: 'a.test.ts', status: 'passed', assertionResults: tests('passed', 'passed') },
      { name: 'b.test.ts', status: 'failed', assertionResults: tests('passed', 'failed') },
    ]),
  ).toEqual({
    passed: 3,
    failures: ['b.test.ts: a failed test\n    Error: said\n    at 1\n    at 2\n    at 3\n    at 4\n    at 5'],
  });
});

test('a file that does not load and one whose set-up fails are a failure each', () => {
  expect(
    countOf([
      { name: 'a.test.ts', status: 'failed', message: 'no such import', assertionResults: [] },
      { name: 'b.test.ts', status: 'failed', message: '', assertionResults: tests('skipped', 'skipped') },
    ]),
  ).toEqual({ passed: 0, failures: ['a.test.ts\n    no such import', 'b.test.ts'] });
});

test('without a report nothing was counted', () => {
  expect(readCount('/nonexistent/report.json')).toEqual({ passed: 0, failures: [] });
});
