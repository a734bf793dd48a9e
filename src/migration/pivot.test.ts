/** The pivot table, one test a row; then what must hold for every combination. */
import { describe, expect, it } from 'vitest';
import { aDomain } from '../../test/support/builders.ts';
import { decidePivot, SOURCE_STATES, sourceSide, TARGET_STATES, targetSide } from './pivot.ts';

const side = <State>(state: State, job = false) => ({ state, job });

describe('the pivot table', () => {
  it.each([
    ['running', 'absent', { do: 'undo', destroyTarget: false, resumeSource: false }],
    ['running', 'paused_never_run', { do: 'undo', destroyTarget: true, resumeSource: false }],
    ['paused', 'absent', { do: 'undo', destroyTarget: false, resumeSource: true }],
    ['paused', 'paused_never_run', { do: 'undo', destroyTarget: true, resumeSource: true }],
    ['absent', 'running', { do: 'forward', source: 'gone', overlap: false }],
    ['shut_off', 'running', { do: 'forward', source: 'gone', overlap: false }],
    ['paused', 'running', { do: 'forward', source: 'destroy', overlap: false }],
    ['running', 'running', { do: 'forward', source: 'destroy', overlap: true }],
    ['paused', 'unreachable', { do: 'hold' }],
    ['absent', 'unreachable', { do: 'hold' }],
    ['unreachable', 'unreachable', { do: 'hold' }],
    ['running', 'unreachable', { do: 'hold' }],
    ['unreachable', 'running', { do: 'forward', source: 'later', overlap: false }],
    ['unreachable', 'absent', { do: 'hold' }],
    ['absent', 'absent', { do: 'lost', destroyTarget: false }],
    ['absent', 'crashed', { do: 'lost', destroyTarget: false }],
    ['shut_off', 'absent', { do: 'lost', destroyTarget: false }],
    ['paused', 'crashed', { do: 'hold' }],
  ] as const)('source %s and target %s', (source, target, decision) => {
    expect(decidePivot(side(source), side(target))).toMatchObject(decision);
  });

  it('waits while a job is active on a source that still has the VM', () => {
    for (const target of ['absent', 'paused_never_run'] as const) {
      expect(decidePivot(side('running', true), side(target)).do).toBe('wait');
      expect(decidePivot(side('paused', true), side(target)).do).toBe('wait');
    }
  });

  it('goes forward as soon as the target runs, while the source winds down', () => {
    expect(decidePivot(side('paused', true), side('running'))).toMatchObject({
      do: 'forward',
      source: 'later',
    });
  });

  it(
    'never resumes the source unless the target is seen without the VM, and never destroys a ' +
      'target that has run',
    () => {
      for (const source of SOURCE_STATES) {
        for (const target of TARGET_STATES) {
          for (const job of [true, false]) {
            const decision = decidePivot(side(source, job), side(target));
            if (decision.do === 'undo' && decision.resumeSource)
              expect(['absent', 'paused_never_run']).toContain(target);
            if ('destroyTarget' in decision && decision.destroyTarget)
              expect(target).toBe('paused_never_run');
            if (decision.do === 'forward') expect(target).toBe('running');
          }
        }
      }
    },
  );
});

describe('a side', () => {
  it('counts an incoming domain as never run, and one that was paused later as running', () => {
    expect(targetSide(aDomain(1, 'v', { state: 'paused', stateReason: 'migration' })).state).toBe(
      'paused_never_run',
    );
    expect(targetSide(aDomain(1, 'v', { state: 'paused', stateReason: 'starting_up' })).state).toBe(
      'paused_never_run',
    );
    expect(targetSide(aDomain(1, 'v', { state: 'paused', stateReason: 'user' })).state).toBe('running');
  });

  it('counts a definition that was never started as absent and a crashed one as crashed', () => {
    expect(targetSide(aDomain(1, 'v', { state: 'shut_off', stateReason: 'destroyed' })).state).toBe('absent');
    expect(targetSide(aDomain(1, 'v', { state: 'shut_off', stateReason: 'crashed' })).state).toBe('crashed');
    expect(targetSide(null).state).toBe('absent');
  });

  it('shows a source paused by the migration with its job', () => {
    expect(sourceSide(aDomain(1, 'v', { state: 'paused', stateReason: 'migration' }), true)).toEqual({
      state: 'paused',
      job: true,
    });
    expect(sourceSide(null, true)).toEqual({ state: 'absent', job: false });
  });
});
