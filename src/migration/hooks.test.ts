/** What a hook that had ended before the engine died means to the next engine. */
import { expect, test, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { HookRun } from '../model/hook.ts';
import { runHooks } from './hooks.ts';
import type { MigrationContext, OperatorHook } from './port.ts';

const ended = (failure: string | null): HookRun => ({
  name: 'drain',
  point: 'before-unplug',
  tookMs: 1500,
  failure,
});

/** A job whose only hook came to this end already. */
function takenUp(run: HookRun, onFailure: OperatorHook['onFailure'] = 'stop') {
  const hook = { name: 'drain', point: 'before-unplug' as const, onFailure, run: vi.fn() };
  const host = { id: 'a', name: 'host-a' };
  const context = {
    ports: { hooksAt: () => [hook] },
    data: { hooks: [run] },
    sourceHost: host,
    target: () => Promise.resolve({ host }),
  } as unknown as MigrationContext;
  return { hook, context };
}

test('one that had ended well is not run again, and is still named', async () => {
  const { hook, context } = takenUp(ended(null));
  expect(await runHooks(context, 'before-unplug')).toEqual(['hook drain 1.5 s']);
  expect(hook.run).not.toHaveBeenCalled();
});

test('one whose failure stops the migration still stops it', async () => {
  const { hook, context } = takenUp(ended('exit code 1'));
  await expect(runHooks(context, 'before-unplug')).rejects.toMatchObject({
    code: 'HOOK_FAILED',
    detail: { hook: 'drain', point: 'before-unplug' },
  });
  expect(hook.run).not.toHaveBeenCalled();
});

test('a failure stops nothing while undoing, nor where the operator wants to be warned', async () => {
  const said = ['hook drain failed after 1.5 s: exit code 1'];
  const { context } = takenUp(ended('exit code 1'));
  expect(await runHooks(context, 'before-unplug', 'undoing')).toEqual(said);
  expect(await runHooks(takenUp(ended('exit code 1'), 'warn').context, 'before-unplug')).toEqual(said);
});

test('one that cannot even be run is a failure of its own, and not of the step', async () => {
  const hook = {
    name: 'drain',
    point: 'after-plug' as const,
    onFailure: 'warn' as const,
    run: () => Promise.reject(new Error('http://u:s3cret@host')),
  };
  const { context } = takenUp(ended(null));
  const event = vi.fn();
  const whole = Object.assign(context, {
    ports: { hooksAt: () => [hook], event },
    clock: { monotonicMs: () => 0 },
    log: silentLog,
    steadySignal: new AbortController().signal,
    assertHeld: () => undefined,
    save: vi.fn(),
  });
  const failure = 'hook drain failed after 0.0 s: it could not be run';
  expect(await runHooks(whole, 'after-plug')).toEqual([failure]);
  expect(event.mock.calls[0]?.[1]).toMatchObject({
    name: 'HOOK_FAILED',
    message: expect.stringContaining(failure) as string,
  });
});
