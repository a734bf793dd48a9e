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

const tests = (...states: string[]): object[] => states.map((status) => ({ status }));

test('tests are counted by their state', () => {
  expect(
    countOf([
      { status: 'passed', assertionResults: tests('passed', 'passed') },
      { status: 'failed', assertionResults: tests('passed', 'failed') },
    ]),
  ).toEqual({ passed: 3, failed: 1 });
});

test('a file that does not load and one whose set-up fails are a failure each', () => {
  expect(
    countOf([
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: tests('skipped', 'skipped') },
    ]),
  ).toEqual({ passed: 0, failed: 2 });
});

test('without a report nothing was counted', () => {
  expect(readCount('/nonexistent/report.json')).toEqual({ passed: 0, failed: 0 });
});
