/** What a hook that had ended before the engine died means to the next engine. */
import { expect, test, vi } from 'vitest';
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
