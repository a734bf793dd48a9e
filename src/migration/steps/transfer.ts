/**
 * Transfer: the guest's memory, until the guest runs on the target. This step is the pivot. It ends in one of
 * two ways, both seen on the hosts: the VM is on the target (the step finishes), or it is on the source and
 * nothing is left on the target (the step fails and everything before it is undone). In between it waits; a
 * host that does not answer is waited for under an alert, because acting on half the truth is how VMs get
 * lost.
 *
 * libvirt's own answer to the migrate call only wakes the loop: rc 1 was seen for guests that had moved, rc 0
 * for one that had died. The step finishes as soon as the guest has resumed, while the source still winds
 * down; `release` deals with the rest.
 */
import { Bell } from '../../base/bell.ts';
import { explain, HandoverError, isCode, messageOf } from '../../base/errors.ts';
import type { DomainEvent, MigrateRequest, MigrationProgress } from '../../hypervisor/port.ts';
import { peerUriOf } from '../../model/host.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { convergence } from '../convergence.ts';
import { type BothSides, lookAtBoth, lookAtSource } from '../look.ts';
import { type Decision, decidePivot } from '../pivot.ts';
import type { MigrateCall, MigrationContext } from '../port.ts';
import { endSecondCopy, endSecondCopyIfAny } from '../second-copy.ts';
import { vnicsOf } from '../vnics.ts';

const LOOK_EVERY_MS = 1_000;
const HOLD_LOOK_EVERY_MS = 3_000;
/** Both hosts, while our own call is open: for events that got lost. */
const OPEN_CALL_LOOK_EVERY_MS = 2_000;
/** How long the call of an engine that died may take to show as a job on the source. */
const TAKEN_UP_GRACE_MS = 3_000;
/** How long a paused incoming domain is given to vanish, or a destroyed one to be seen gone. */
const SETTLE_LIMIT_MS = 60_000;

/** Null: it was begun before, and what became of it is found out by looking at both. */
type Seen = Pick<BothSides, 'source'> | null;

export const transfer = defineStep<MigrationContext, Seen>({
  name: 'transfer',
  kind: 'pivot',

  async inspect(context) {
    return context.data.transferStartedAt === undefined ? lookAtSource(context) : null;
  },

  async run(context, seen) {
    const bell = new Bell();
    const { hypervisor: target } = await context.target();
    const unwatch = [
      await context.source.watch(context.vmId, (event) => {
        if (isNamed(event, 'suspended')) context.runtime.suspendedAtMs = context.clock.monotonicMs();
        if (decides(event)) bell.ring();
      }),
      await target.watch(context.vmId, (event) => {
        if (isNamed(event, 'resumed')) context.runtime.resumedOnTarget = true;
        if (decides(event)) bell.ring();
      }),
    ];
    const onCancel = () => bell.ring();
    context.signal.addEventListener('abort', onCancel);
    try {
      if (seen !== null) await start(context, seen, bell);
      const because = await settle(context, bell);
      return finished(because);
    } finally {
      context.signal.removeEventListener('abort', onCancel);
      for (const stop of unwatch) stop();
    }
  },
});

const isNamed = (event: DomainEvent, ...names: string[]): boolean =>
  event.type === 'lifecycle' && names.includes(event.name);

/** The others come with the switchover, and looking then would lengthen it. */
const decides = (event: DomainEvent): boolean =>
  event.type.startsWith('watch_') || isNamed(event, 'resumed', 'stopped', 'shutdown', 'crashed');

/** Sends the migrate call; recorded first, so that after a crash the hosts are asked what became of it. */
async function start(context: MigrationContext, seen: NonNullable<Seen>, bell: Bell): Promise<void> {
  context.signal.throwIfAborted();
  if (seen.source.state !== 'running') {
    throw new HandoverError(
      'MIGRATION_FAILED',
      `${context.vmName} is ${seen.source.state} on ${context.sourceHost.name}; nothing was transferred`,
    );
  }
  const { params, data } = context;
  const { host, hypervisor } = await context.target();
  const request: MigrateRequest = {
    vmId: context.vmId,
    target: hypervisor,
    protocol: data.protocol ?? 'p2p',
    peerUri: peerUriOf(host),
    migrationAddress: host.migrationAddress,
    persistent: data.persistent ?? false,
    configVfs: vnicsOf(context).map((vnic) => ({
      alias: vnic.alias,
      mac: vnic.mac,
      vf: vnic.targetVf,
      managed: vnic.managed,
      vlan: vnic.vlan,
      guestAddress: vnic.guestAddress,
      traitsXml: vnic.traitsXml,
      pool: host.inventory?.pools.some((pool) => pool.name === vnic.pool) ? vnic.pool : null,
    })),
    bandwidthMiBps: params.bandwidthMiBps,
    copyDisks: (data.copyDisks ?? []).map((disk) => disk.target),
  };
  await context.save({ transferStartedAt: context.clock.now() });
  const call: MigrateCall = {
    endedAt: null,
    error: null,
    settled: context.source.migrate(request, context.steadySignal).then(
      () => {
        call.endedAt = context.clock.now();
        bell.ring();
      },
      (thrown: unknown) => {
        call.endedAt = context.clock.now();
        call.error = thrown;
        bell.ring();
      },
    ),
  };
  context.runtime.call = call;
}

/**
 * Loops until the hosts show where the VM is. Returns why it is on the target, throws why it stayed on the
 * source.
 */
async function settle(context: MigrationContext, bell: Bell): Promise<string> {
  const startedAtMs = context.clock.monotonicMs();
  let stop: HandoverError | null = null;
  let holding = false;
  let lookedAtMs = startedAtMs;
  const policy = convergence(context);
  for (;;) {
    if (resumedThere(context)) return moved(context, RESUMED);
    const still = standsStill(context);
    let progress = still ? null : await progressOfOpenCall(context);
    const sinceLookMs = context.clock.monotonicMs() - lookedAtMs;
    if (progress === null && !still && (!callIsOpen(context) || sinceLookMs >= OPEN_CALL_LOOK_EVERY_MS)) {
      lookedAtMs = context.clock.monotonicMs();
      const seen = await lookAtBoth(context);
      const decision = notYet(context, seen, startedAtMs) ?? decidePivot(seen.source, seen.target);
      if (decision.do !== 'hold' && holding) await endHold(context);
      holding = decision.do === 'hold';
      switch (decision.do) {
        case 'forward':
          return moved(context, decision);
        case 'undo':
          await restoreSource(context, decision);
          throw failure(context, stop, decision);
        case 'lost':
          throw await lost(context, decision);
        case 'hold':
          await hold(context, decision);
          await bell.wait(context.clock, HOLD_LOOK_EVERY_MS, context.steadySignal);
          continue;
        case 'wait':
          progress = seen.progress;
      }
    }
    stop ??= reasonToStop(context, startedAtMs);
    if (stop !== null)
      await context.source.abortMigration(context.vmId).catch((thrown) => ignoreUnlessOurs(thrown, context));
    else if (progress) await policy.step(progress);
    await bell.wait(context.clock, LOOK_EVERY_MS, context.steadySignal);
  }
}

const RESUMED = {
  do: 'forward',
  source: 'later',
  overlap: false,
  because: 'the VM runs on the target',
} as const satisfies Decision;

/**
 * The short way: the target's daemon said that the guest resumed there while our own call to the source is
 * still open, so the source stands still under that call. Every further look would only hold up the plug: it
 * queues behind libvirt's own job on the arriving domain.
 */
function resumedThere(context: MigrationContext): boolean {
  return context.runtime.resumedOnTarget && callIsOpen(context);
}

/** At the switchover both daemons are busy with the guest, and every question makes it wait longer. */
function standsStill(context: MigrationContext): boolean {
  const { suspendedAtMs } = context.runtime;
  const sinceMs = context.clock.monotonicMs() - (suspendedAtMs ?? Number.NEGATIVE_INFINITY);
  return callIsOpen(context) && sinceMs < OPEN_CALL_LOOK_EVERY_MS;
}

function callIsOpen({ runtime: { call } }: MigrationContext): boolean {
  return call !== null && call.endedAt === null;
}

/**
 * While our call is open and the source shows its job, there is nothing to decide, and the target is left
 * alone: it needs its time for what arrives. Before the job shows and after it, both hosts are looked at now
 * and then, should the event of the guest's arrival be lost. null = no progress to be had.
 */
async function progressOfOpenCall(context: MigrationContext): Promise<MigrationProgress | null> {
  if (!callIsOpen(context)) return null;
  try {
    return await context.source.migrationProgress(context.vmId);
  } catch (thrown) {
    if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
    return null;
  }
}

/**
 * Our own call was sent and libvirt shows no job yet, or shows none any more but has not answered: not the
 * time to judge. Nor is it right after the job was taken up: a call of who had it before may be on its way.
 */
function notYet(context: MigrationContext, seen: BothSides, startedAtMs: number): Decision | null {
  if (seen.target.state === 'running') return null;
  const { call } = context.runtime;
  if (call === null) {
    const fresh = context.clock.monotonicMs() - startedAtMs < TAKEN_UP_GRACE_MS;
    return fresh
      ? { do: 'wait', because: 'a call sent before the job was taken up may be on its way' }
      : null;
  }
  return call.endedAt === null ? { do: 'wait', because: 'the migrate call has not ended' } : null;
}

function reasonToStop(context: MigrationContext, startedAtMs: number): HandoverError | null {
  if (context.signal.aborted && isCode(context.signal.reason, 'CANCELLED')) return context.signal.reason;
  const elapsedMs = context.clock.monotonicMs() - startedAtMs;
  if (elapsedMs < context.params.transferTimeoutMs) return null;
  return new HandoverError(
    'CONVERGENCE_FAILED',
    `the memory of ${context.vmName} was not across after ${Math.round(elapsedMs / 1000)} s; allow ` +
      `a longer downtime or more bandwidth`,
  );
}

async function moved(context: MigrationContext, decision: Decision & { do: 'forward' }): Promise<string> {
  const seenAtMs = context.clock.monotonicMs();
  watchForSecondCopy(context);
  await context.save({ resumedAt: context.clock.now(), pivotEvidence: decision.because });
  if (decision.overlap) await endSecondCopy(context, seenAtMs);
  if (context.signal.aborted) {
    await context.ports.event(
      { jobId: context.jobId, vmId: context.vmId },
      {
        name: 'MIGRATION_CANCEL_FAILED',
        severity: 'warning',
        message:
          `The cancel came too late: ${context.vmName} already runs on ` +
          `${(await context.target()).host.name}`,
      },
    );
  }
  return decision.because;
}

/**
 * The step ends while libvirt still winds the move down. If that goes wrong, the source lets its copy run
 * again: looked for the moment libvirt's call ends, beside the plug.
 */
function watchForSecondCopy(context: MigrationContext): void {
  const { call } = context.runtime;
  if (call === null || call.endedAt !== null) return;
  context.runtime.windingDown = call.settled.then(() =>
    endSecondCopyIfAny(context, context.clock.monotonicMs()),
  );
}

/** Ends what waits on the target, sees it gone, and only then lets the source run again. */
async function restoreSource(context: MigrationContext, decision: Decision & { do: 'undo' }): Promise<void> {
  const { hypervisor: target } = await context.target();
  if (decision.destroyTarget) await target.destroy(context.vmId);
  const endMs = context.clock.monotonicMs() + SETTLE_LIMIT_MS;
  for (;;) {
    const seen = await lookAtBoth(context);
    const again = decidePivot(seen.source, seen.target);
    if (again.do !== 'undo')
      throw new HandoverError(
        'MIGRATION_FAILED',
        `the hosts changed while the move was being undone: ${again.because}`,
      );
    if (!again.destroyTarget) {
      if (again.resumeSource) await context.source.resume(context.vmId);
      return;
    }
    if (context.clock.monotonicMs() >= endMs) {
      throw new HandoverError(
        'WAIT_TIMED_OUT',
        `the incoming copy of ${context.vmName} did not vanish; destroy it by hand`,
      );
    }
    await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
  }
}

function failure(context: MigrationContext, stop: HandoverError | null, decision: Decision): HandoverError {
  if (stop) return stop;
  const thrown = context.runtime.call?.error;
  const why = thrown ? messageOf(thrown) : decision.because;
  return new HandoverError(
    'MIGRATION_FAILED',
    `${context.vmName} was not moved and stays on ${context.sourceHost.name}: ${why}`,
    {
      ...(thrown ? { cause: thrown } : {}),
    },
  );
}

async function lost(context: MigrationContext, decision: Decision & { do: 'lost' }): Promise<HandoverError> {
  const { host, hypervisor } = await context.target();
  if (decision.destroyTarget) await hypervisor.destroy(context.vmId);
  await context.ports.setVmHost(context.vmId, context.sourceHost.id);
  return new HandoverError(
    'MIGRATION_FAILED',
    `${context.vmName} runs neither on ${context.sourceHost.name} nor on ${host.name} ` +
      `(${decision.because}): it was shut off or crashed during the move; start it again`,
  );
}

const holdAlert = (context: MigrationContext): string => `hold:${context.jobId}`;

async function hold(context: MigrationContext, decision: Decision): Promise<void> {
  const { host } = await context.target();
  const message =
    `Migration of ${context.vmName} from ${context.sourceHost.name} to ${host.name} ` +
    `waits: ${decision.because}. Nothing is resumed or destroyed until both hosts can be seen.`;
  await context.ports.raiseAlert(holdAlert(context), context.vmId, message);
}

async function endHold(context: MigrationContext): Promise<void> {
  await context.ports.clearAlert(holdAlert(context));
}

function ignoreUnlessOurs(thrown: unknown, context: MigrationContext): void {
  if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
  context.log.warn('abort of the memory transfer not accepted; looking again', { error: explain(thrown) });
}
