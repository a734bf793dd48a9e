/** The figures taken from a stream of echo requests. */
import { expect, test } from 'vitest';
import { ProbeRecord } from './probe-record.ts';

/**
 * A line as `fping -D -l` prints it: request `sequence` answered at `receivedAtMs`, `rttMs` after its
 * sending.
 */
function line(sequence: number, receivedAtMs: number, rttMs = 1): string {
  const at = (receivedAtMs / 1000).toFixed(5);
  return `[${at}] 10.78.0.101 : [${sequence}], 64 bytes, ${rttMs} ms (1.00 avg, 0% loss)`;
}

function recordOf(answers: readonly (readonly [sequence: number, receivedAtMs: number])[]): ProbeRecord {
  const record = new ProbeRecord();
  for (const [sequence, receivedAtMs] of answers) record.addLine(line(sequence, receivedAtMs));
  return record;
}

test('counts requests without an answer from the holes between sequence numbers', () => {
  const record = recordOf([
    [1, 1000],
    [2, 1010],
    [5, 1040],
  ]);
  expect(record.window(0, 2000)).toMatchObject({ sent: 5, received: 3 });
});

test('the longest gap is the longest time between two arrivals inside the window', () => {
  const record = recordOf([
    [1, 1000],
    [2, 1010],
    [50, 1500],
    [51, 1510],
  ]);
  expect(record.window(1000, 1511).longestGapMs).toBeCloseTo(490);
});

test('a gap counts in a window only as far as it lies inside', () => {
  const record = recordOf([
    [1, 1000],
    [101, 2000],
  ]);
  expect(record.window(1200, 1500).longestGapMs).toBe(300);
  expect(record.window(1900, 2100).longestGapMs).toBe(100);
});

test('silence up to the end of the window is a gap', () => {
  expect(recordOf([[1, 1000]]).window(900, 5000).longestGapMs).toBe(4000);
});

test('a second answer to the same request does not count', () => {
  const record = recordOf([[1, 1000]]);
  expect(record.addLine(line(1, 1001))).toBe(false);
  expect(record.answered).toBe(1);
});

test('other lines of fping are no answers', () => {
  const record = new ProbeRecord();
  expect(record.addLine('[1000.00000] 10.78.0.101 : [7], timed out (1.00 avg, 12% loss)')).toBe(false);
  expect(record.addLine('10.78.0.101 : xmt/rcv/%loss = 195/195/0%, min/avg/max = 0.016/0.058/0.156')).toBe(
    false,
  );
  expect(record.answered).toBe(0);
});

test('what was sent is known up to the last answer', () => {
  expect(
    recordOf([
      [0, 1000],
      [6, 1060],
    ]).sentAtLeast,
  ).toBe(7);
});
