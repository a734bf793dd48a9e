/** The figures taken from a stream of echo requests. */
import { expect, test } from 'vitest';
import { ProbeRecord } from './probe-record.ts';

/**
 * A line as `ping -D` prints it: request `sequence` answered at `receivedAtMs`, `rttMs` after it was sent.
 */
function line(sequence: number, receivedAtMs: number, rttMs = 1): string {
  const at = (receivedAtMs / 1000).toFixed(6);
  return `[${at}] 64 bytes from 10.78.0.101: icmp_seq=${sequence} ttl=64 time=${rttMs} ms`;
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

test('sequence numbers go on after 65535', () => {
  const record = recordOf([
    [65_534, 1000],
    [65_535, 1010],
    [0, 1020],
    [3, 1050],
  ]);
  expect(record.highestSequence).toBe(65_539);
  expect(record.window(0, 2000)).toMatchObject({ sent: 6, received: 4 });
});

test('other lines of ping are no answers', () => {
  const record = new ProbeRecord();
  expect(record.addLine('From 10.78.0.1 icmp_seq=7 Destination Host Unreachable')).toBe(false);
  expect(record.addLine('PING 10.78.0.101 (10.78.0.101) 56(84) bytes of data.')).toBe(false);
  expect(record.answered).toBe(0);
});
