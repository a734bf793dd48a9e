/**
 * The operator's hooks, run by the steps: one after the other, each at most once in a job unless the engine
 * dies while it runs. A failure that may stop the migration is thrown, so that the saga undoes everything;
 * any other is an event, and the migration goes on. Where there are no hooks nothing is asked and nothing is
 * waited for.
 */
import { isoTime } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import { type HookInput, type HookPoint, type HookRun, STOPPING_POINTS } from '../model/hook.ts';
import type { Host } from '../model/host.ts';
import type { MovingVnic } from '../model/job.ts';
import type { MigrationContext, OperatorHook } from './port.ts';
import { vnicsOf } from './vnics.ts';

/**
 * Runs the hooks of a point. Returns what to say of each. Throws `HOOK_FAILED` for one that stops the
 * migration, before the pivot and not while undoing; and the reason of a cancel, then too.
 */
export async function runHooks(
  context: MigrationContext,
  point: HookPoint,
  undoing: 'undoing' | null = null,
): Promise<string[]> {
  const hooks = context.ports.hooksAt(point);
  if (hooks.length === 0) return [];
  const mayStop = undoing === null && STOPPING_POINTS.includes(point);
  const input = await inputOf(context, point, undoing !== null);
  const said: string[] = [];
  for (const hook of hooks) {
    const before = context.data.hooks?.find((run) => run.name === hook.name && run.point === point);
    const run = before ?? (await runOne(context, hook, input, mayStop));
    if (run.failure !== null && mayStop && hook.onFailure === 'stop') throw stopped(run);
    said.push(inWords(run));
  }
  return said;
}

async function runOne(
  context: MigrationContext,
  hook: OperatorHook,
  input: HookInput,
  mayStop: boolean,
): Promise<HookRun> {
  const { clock, log, sourceHost } = context;
  const { name, point } = hook;
  context.assertHeld();
  log.debug('hook begins', { hook: name, point });
  const begunMs = clock.monotonicMs();
  const signal = mayStop ? context.signal : context.steadySignal;
  const failure = await hook.run(input, signal).catch(() => {
    signal.throwIfAborted();
    // Of no failure of a hook may the step fail that only goes forward. What was thrown may hold an address.
    return 'it could not be run';
  });
  const run: HookRun = { name, point, tookMs: Math.round(clock.monotonicMs() - begunMs), failure };
  log.info('hook ended', { hook: name, point, tookMs: run.tookMs, failure });
  // First said, then kept: after a crash between the two it is run again, and told again.
  if (failure !== null && !(mayStop && hook.onFailure === 'stop')) {
    const job = { jobId: context.jobId, vmId: context.vmId };
    await context.ports.event(job, {
      name: 'HOOK_FAILED',
      severity: 'warning',
      message:
        `${context.vmName}: ${inWords(run)}, at ${point}. It stops nothing; see to what it should have ` +
        `done`,
      hostId: input.host.id === sourceHost.id ? sourceHost.id : input.target.id,
    });
  }
  await context.save({ hooks: [...(context.data.hooks ?? []), run] });
  return run;
}

function stopped({ name, point, failure }: HookRun): HandoverError {
  return new HandoverError(
    'HOOK_FAILED',
    `hook ${name} at ${point} failed: ${failure}; mend what it needs and migrate again, or set its ` +
      `onFailure to warn in the file given with --hooks`,
    { detail: { hook: name, point } },
  );
}

function inWords({ name, tookMs, failure }: HookRun): string {
  const seconds = `${(tookMs / 1000).toFixed(1)} s`;
  return failure === null ? `hook ${name} ${seconds}` : `hook ${name} failed after ${seconds}: ${failure}`;
}

async function inputOf(context: MigrationContext, point: HookPoint, undoing: boolean): Promise<HookInput> {
  const { data, vmId, vmName, jobId } = context;
  const named = ({ id, name }: Host) => ({ id, name });
  const source = named(context.sourceHost);
  const target = named((await context.target()).host);
  const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms));
  return {
    point,
    jobId,
    vm: { id: vmId, name: vmName },
    source,
    target,
    host: undoing || STOPPING_POINTS.includes(point) ? source : target,
    vnics: vnicsOf(context).map((vnic) => ({
      id: vnic.vnicId,
      name: vnic.name,
      mac: vnic.mac,
      vlan: vnic.vlan,
      profileId: vnic.profileId ?? null,
      networkId: vnic.networkId ?? null,
      sourceVf: vnic.sourceVf,
      targetVf: vnic.targetVf,
      state: stateAt(point, vnic),
    })),
    times: {
      unplugAsked: time(data.unplugAskedAt),
      transferStarted: time(data.transferStartedAt),
      resumed: time(data.resumedAt),
      plugAsked: time(data.plugAskedAt),
    },
  };
}

/** The job's own record of a vNIC is of before its unplug until it was plugged again. */
function stateAt(point: HookPoint, vnic: MovingVnic): MovingVnic['state'] {
  if (point === 'before-unplug' || point === 'after-plug') return vnic.state;
  return 'unplugged';
}
