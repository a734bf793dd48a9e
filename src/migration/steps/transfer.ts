/**
 * Transfer: the guest's memory, until the guest runs on the target. This step is the pivot. It ends in one of
 * two ways, both seen on the hosts: the VM is on the target (the step finishes), or it is on the source and
 * nothing is left on the target (the step fails and everything before it is undone). In between it waits; a
 * host that does not answer, or an act that fails, is waited for under an alert, because acting on half the
 * truth is how VMs get lost. So once the call may have been sent, nothing but what the hosts show ends the
 * step.
 *
 * libvirt's own answer to the migrate call only wakes the loop: rc 1 was seen for guests that had moved, rc 0
 * for one that had died. The step finishes as soon as the guest has resumed, while the source still winds
 * down; `release` deals with the rest.
 */
import { Bell } from '../../base/bell.ts';
import { explain, HandoverError, isCode } from '../../base/errors.ts';
import type { DomainEvent, MigrateRequest, MigrationProgress } from '../../hypervisor/port.ts';
import { peerUriOf } from '../../model/host.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { convergence } from '../convergence.ts';
import { type BothSides, lookAtBoth, lookAtSource } from '../look.ts';
import { type Decision, decidePivot } from '../pivot.ts';
import type { MigrateCall, MigrationContext } from '../port.ts';
import { endSecondCopy, endSecondCopyIfAny } from '../second-copy.ts';
import { endHold, hold, lost, notMoved, restoreSource } from '../verdict.ts';
import { vnicsOf } from '../vnics.ts';

const LOOK_EVERY_MS = 1_000;
const HOLD_LOOK_EVERY_MS = 3_000;
/** Both hosts, while our own call is open: for events that got lost. */
const OPEN_CALL_LOOK_EVERY_MS = 2_000;
/** How long the call of an engine that died may take to show as a job on the source. */
const TAKEN_UP_GRACE_MS = 3_000;

/**
 * A call that shows no job on the source and nothing on the target for so long hangs: libvirt itself gives up
 * connecting to the target after two minutes.
 */
const STUCK_CALL_MS = 180_000;

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
    const unwatch: (() => void)[] = [];
    const listening = listen(context, bell, unwatch);
    const onCancel = () => bell.ring();
    context.signal.addEventListener('abort', onCancel);
    try {
      if (seen !== null) {
        await listening;
        await start(context, seen, bell);
      } else await listening.catch((thrown) => goOnLooking(context, 'events are not heard', thrown));
      return finished(await settle(context, bell));
    } finally {
      context.signal.removeEventListener('abort', onCancel);
      for (const stop of unwatch) stop();
    }
  },
});

/** Events of both hosts, for as long as it takes. */
async function listen(context: MigrationContext, bell: Bell, unwatch: (() => void)[]): Promise<void> {
  const { source, vmId, runtime } = context;
  const { hypervisor: target } = await context.target();
  unwatch.push(
    await source.watch(vmId, (event) => {
      if (isNamed(event, 'suspended')) runtime.suspendedAtMs = context.clock.monotonicMs();
      if (decides(event)) bell.ring();
    }),
  );
  unwatch.push(
    await target.watch(vmId, (event) => {
      if (isNamed(event, 'resumed')) runtime.resumedOnTarget = true;
      if (decides(event)) bell.ring();
    }),
  );
}

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
      definedPool: vnic.pool,
    })),
    bandwidthMiBps: params.bandwidthMiBps,
    copyDisks: (data.copyDisks ?? []).map((disk) => disk.target),
  };
  context.runtime.traffic?.askAgain();
  await context.save({ transferStartedAt: context.clock.now() });
  const giveUp = new AbortController();
  const signal = AbortSignal.any([context.steadySignal, giveUp.signal]);
  const call: MigrateCall = {
    endedAt: null,
    error: null,
    giveUp: (why) => giveUp.abort(why),
    settled: context.source.migrate(request, signal).then(
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

/** What one look led to. */
type Turn = { readonly moved: string } | { readonly stays: HandoverError } | { readonly lookAgainMs: number };

/** What the looks of one transfer remember of each other; monotonic ms. */
interface Looking {
  readonly startedAtMs: number;
  readonly policy: ReturnType<typeof convergence>;
  lookedAtMs: number;
  /** Why it is being ended, once it is. */
  stop: HandoverError | null;
  holding: boolean;
  /** When it was first seen that the VM stays. */
  undoSinceMs: number | null;
  /** Since when our call is open and nothing is seen of it. */
  idleSinceMs: number | null;
}

/**
 * Loops until the hosts show where the VM is. Returns why it is on the target, throws why it stayed on the
 * source.
 */
async function settle(context: MigrationContext, bell: Bell): Promise<string> {
  const startedAtMs = context.clock.monotonicMs();
  const looking: Looking = {
    startedAtMs,
    policy: convergence(context),
    lookedAtMs: startedAtMs,
    stop: null,
    holding: false,
    undoSinceMs: null,
    idleSinceMs: null,
  };
  for (;;) {
    const turn = await look(context, looking).catch(async (thrown: unknown): Promise<Turn> => {
      goOnLooking(context, 'nothing was decided', thrown);
      looking.holding = true;
      await hold(context, explain(thrown)).catch((why) => goOnLooking(context, 'no alert was raised', why));
      return { lookAgainMs: HOLD_LOOK_EVERY_MS };
    });
    if ('moved' in turn) return turn.moved;
    if ('stays' in turn) throw turn.stays;
    await bell.wait(context.clock, turn.lookAgainMs, context.steadySignal);
  }
}

/** A failure here says nothing of where the VM is. Only a lost claim ends the looking. */
function goOnLooking(context: MigrationContext, what: string, thrown: unknown): void {
  if (context.steadySignal.aborted || isCode(thrown, 'CLAIM_LOST')) throw thrown;
  context.log.warn(`${what}; both hosts are looked at again`, { error: explain(thrown) });
}

async function look(context: MigrationContext, looking: Looking): Promise<Turn> {
  if (resumedThere(context)) return moved(context, RESUMED);
  const { startedAtMs } = looking;
  const still = standsStill(context);
  let progress = still ? null : await progressOfOpenCall(context);
  const sinceLookMs = context.clock.monotonicMs() - looking.lookedAtMs;
  looking.stop ??= reasonToStop(context, startedAtMs);
  if (progress === null && !still && (!callIsOpen(context) || sinceLookMs >= OPEN_CALL_LOOK_EVERY_MS)) {
    looking.lookedAtMs = context.clock.monotonicMs();
    const seen = await lookAtBoth(context);
    giveUpStuckCall(context, looking, seen);
    const decision = notYet(context, seen, startedAtMs) ?? decidePivot(seen.source, seen.target);
    if (decision.do !== 'hold' && looking.holding) await endHold(context);
    looking.holding = decision.do === 'hold';
    switch (decision.do) {
      case 'forward':
        return moved(context, decision);
      case 'undo':
        looking.undoSinceMs ??= looking.lookedAtMs;
        if (!(await restoreSource(context, decision, looking.undoSinceMs)))
          return { lookAgainMs: LOOK_EVERY_MS };
        return { stays: looking.stop ?? notMoved(context, decision) };
      case 'lost':
        return { stays: await lost(context, decision, seen) };
      case 'hold':
        await hold(context, decision.because);
        // Memory that still leaves the source can be stopped there, whoever else does not answer.
        if (looking.stop !== null && seen.source.job) await abort(context);
        return { lookAgainMs: HOLD_LOOK_EVERY_MS };
      case 'wait':
        progress = seen.progress;
    }
  }
  if (looking.stop !== null) await abort(context);
  else if (progress) await looking.policy.step(progress);
  return { lookAgainMs: LOOK_EVERY_MS };
}

async function abort(context: MigrationContext): Promise<void> {
  try {
    await context.source.abortMigration(context.vmId);
  } catch (thrown) {
    goOnLooking(context, 'the abort of the memory transfer was not accepted', thrown);
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

/**
 * Without this a call that libvirt never answers would hold the VM without its VFs for ever. If libvirt gets
 * to it later all the same, it finds the VFs plugged again and refuses.
 */
function giveUpStuckCall(context: MigrationContext, looking: Looking, seen: BothSides): void {
  const { clock, sourceHost, vmName, runtime } = context;
  const { call } = runtime;
  if (call === null || call.endedAt !== null) return;
  if (decidePivot(seen.source, seen.target).do !== 'undo') {
    looking.idleSinceMs = null;
    return;
  }
  const now = clock.monotonicMs();
  looking.idleSinceMs ??= now;
  if (now - looking.idleSinceMs < STUCK_CALL_MS) return;
  looking.stop ??= new HandoverError(
    'CALL_TIMED_OUT',
    `libvirt on ${sourceHost.name} did not answer the migrate call, and for ${STUCK_CALL_MS / 1000} s ` +
      `nothing was seen of a move; ${vmName} stays there`,
  );
  call.giveUp(looking.stop);
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

async function moved(context: MigrationContext, decision: Decision & { do: 'forward' }): Promise<Turn> {
  watchForSecondCopy(context);
  await context.save({ resumedAt: context.clock.now(), pivotEvidence: decision.because });
  if (decision.overlap) await endSecondCopy(context);
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
  return { moved: decision.because };
}

/**
 * The step ends while libvirt still winds the move down. If that goes wrong, the source lets its copy run
 * again: looked for the moment libvirt's call ends, beside the plug.
 */
function watchForSecondCopy(context: MigrationContext): void {
  const { call } = context.runtime;
  if (call === null || call.endedAt !== null) return;
  context.runtime.windingDown = call.settled.then(() => endSecondCopyIfAny(context));
}
