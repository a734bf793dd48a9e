/** The timeline people read, from the JSON form. */
import { describe, expect, test } from 'vitest';
import { changeLines, durationText, timelineLines, type TimelineMigration } from './timeline.ts';

const at = (ms: number): string => new Date(1_700_000_000_000 + ms).toISOString();
const style = { colour: false, nowMs: 1_700_000_004_000 };

const migration: TimelineMigration = {
  vm: 'web-1',
  source: 'host-a',
  target: 'host-b',
  state: 'succeeded',
  startedAt: at(0),
  endedAt: at(4_210),
  steps: [
    { name: 'reserve', state: 'finished', startedAt: at(0), endedAt: at(10) },
    { name: 'shift', state: 'skipped', startedAt: at(10), endedAt: at(10) },
    { name: 'unplug', state: 'finished', startedAt: at(10), endedAt: at(500), message: 'guest agreed' },
    { name: 'unplug', vnic: 'nic1', state: 'finished', startedAt: at(10), endedAt: at(500) },
    { name: 'transfer', state: 'finished', startedAt: at(500), endedAt: at(4_200) },
  ],
  vnics: [
    {
      name: 'nic1',
      mac: '52:54:00:00:00:01',
      sourceVf: '0000:3b:02.1',
      targetVf: '0000:3b:03.0',
      state: 'plugged',
    },
  ],
  downtimeMs: 38,
  networkGapMs: { unplug: 40, switchover: 112, plug: null, longest: 112 },
};

describe('the timeline', () => {
  test('tells the whole story of a migration', () => {
    expect(timelineLines(migration, style)).toEqual([
      'web-1  host-a → host-b  succeeded in 4.21 s',
      '',
      '  ✔ reserve   █                                    10 ms',
      '  · shift     ·                                  skipped',
      '  ✔ unplug    ████                                490 ms  guest agreed',
      '  ✔ transfer      ██████████████████████████      3.70 s',
      '',
      '  nic1  VF 0000:3b:02.1 → 0000:3b:03.0  plugged  52:54:00:00:00:01',
      '',
      '  downtime     38 ms (guest paused)',
      '  network gap  112 ms longest (unplug 40 ms, switchover 112 ms, plug -)',
    ]);
  });

  test('leaves out figures nobody measured', () => {
    const lines = timelineLines({ ...migration, downtimeMs: null, networkGapMs: null }, style).join('\n');
    expect(lines).not.toMatch(/downtime|network gap/);
  });

  test('shows where a migration stands, with the memory sent so far', () => {
    const running: TimelineMigration = {
      ...migration,
      state: 'running',
      endedAt: null,
      steps: [{ name: 'transfer', state: 'started', startedAt: at(500), endedAt: null }],
      progress: { bytesTotal: 100, bytesRemaining: 25 },
    };
    const lines = timelineLines(running, style);
    expect(lines[0]).toBe('web-1  host-a → host-b  running for 4.00 s');
    expect(lines).toContainEqual(expect.stringMatching(/▸ transfer .*3\.50 s$/));
    expect(lines).toContainEqual(expect.stringMatching(/memory +█{23}░{7} 75 %$/));
  });

  test('says why a queued one waits, and copes with nothing known', () => {
    const queued: TimelineMigration = {
      ...migration,
      target: null,
      state: 'queued',
      startedAt: null,
      endedAt: null,
      steps: [],
      vnics: [],
      downtimeMs: null,
      networkGapMs: null,
      waitReason: '2 migrations leave host-a (place 1)',
    };
    expect(timelineLines(queued, style)[0]).toBe(
      'web-1  host-a → ?  queued: 2 migrations leave host-a (place 1)',
    );
  });

  test('ends with errors, warnings and what is left behind', () => {
    const failed: TimelineMigration = {
      ...migration,
      state: 'failed',
      error: { message: 'guest kept its VF' },
      warnings: ['trust is off'],
      leftBehind: ['disk /x'],
    };
    expect(timelineLines(failed, style).slice(-3)).toEqual([
      '  error: guest kept its VF',
      '  warning: trust is off',
      '  left behind: disk /x',
    ]);
  });

  test('shows what the lab measured', () => {
    const measured: TimelineMigration = {
      ...migration,
      probe: { intervalMs: 10, sent: 500, received: 489 },
      tcp: { survived: true, bytes: 3 * 1024 * 1024 },
    };
    expect(timelineLines(measured, style).slice(-2)).toEqual([
      '  probe        489 of 500 answered, 11 lost, one every 10 ms',
      '  tcp          one connection survived, 3.0 MiB carried',
    ]);
  });

  test('has colours only if asked', () => {
    const plain = timelineLines(migration, style).join('\n');
    const colourful = timelineLines(migration, { ...style, colour: true }).join('\n');
    expect(plain).not.toContain('\u001b');
    expect(colourful).toContain('\u001b[32m');
    expect(colourful.replace(/\u001b\[\d+m/g, '')).toBe(plain);
  });
});

describe('changes', () => {
  test('are told once each', () => {
    const before = { ...migration, steps: migration.steps.slice(0, 2) };
    expect(changeLines(before, migration)).toEqual([
      '22:13:20  unplug finished in 490 ms: guest agreed',
      '22:13:20  unplug nic1 finished in 490 ms',
      '22:13:24  transfer finished in 3.70 s',
    ]);
    expect(changeLines(migration, migration)).toEqual([]);
  });
});

describe('durations', () => {
  test.each([
    [null, '-'],
    [0, '0 ms'],
    [999.4, '999 ms'],
    [4_210, '4.21 s'],
    [125_000, '2 min 05 s'],
  ])('%s ms reads %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
