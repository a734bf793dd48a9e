/**
 * What every `SagaStore` must do, as a suite to be run on each implementation, so that campaigns on the
 * in-memory one prove something about the real one. Times pass by `eventually`, which a virtual clock may
 * implement by advancing.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HandoverError } from '../../src/base/errors.ts';
import type { JobStep, MigrateParams, MigrationData } from '../../src/model/job.ts';
import type { Claim, SagaPatch, SagaStore, SagaStepRecord } from '../../src/saga/port.ts';

/** One fresh, empty store and what surrounds it. */
export interface SagaStoreUnderTest {
  readonly saga: SagaStore<MigrateParams, MigrationData>;
  /** Adds a queued job of a VM nothing else moves and returns its id. Later ones are younger. */
  addJob(): Promise<string>;
  requestCancel(jobId: string): Promise<'accepted' | 'too_late'>;
  /** Makes a parked job live again. */
  retry(jobId: string): Promise<void>;
  /** Steps by number. */
  steps(
    jobId: string,
  ): Promise<Pick<JobStep, 'number' | 'name' | 'vnicId' | 'state' | 'attempts' | 'message' | 'endedAt'>[]>;
  waitReason(jobId: string): Promise<string | null>;
  /** Lets time pass until `look` sees something. */
  eventually<T>(what: string, look: () => Promise<T | null>): Promise<T>;
  close(): Promise<void>;
}

/** Longer than any test: such a lease does not expire. */
const LONG_MS = 600_000;
/** Expires while a test waits. */
const SHORT_MS = 100;

/** Registers the suite for one implementation. `create` is called for every test. */
export function sagaStoreContract(implementation: string, create: () => Promise<SagaStoreUnderTest>): void {
  describe(`saga store contract: ${implementation}`, () => {
    let its: SagaStoreUnderTest;
    beforeEach(async () => {
      its = await create();
    });
    afterEach(() => its.close());

    const claim = async (owner: string, leaseMs = LONG_MS) => {
      const claimed = await its.saga.claimNext(owner, leaseMs);
      if (claimed === null) throw new Error(`${owner} found no job to claim`);
      return claimed;
    };
    const lost = expect.objectContaining({ code: 'CLAIM_LOST' }) as HandoverError;
    const expectLost = async (claimed: Claim) => {
      await expect(its.saga.renew(claimed, LONG_MS)).rejects.toEqual(lost);
      await expect(its.saga.read(claimed)).rejects.toEqual(lost);
      await expect(its.saga.write(claimed, { stepIndex: 7 })).rejects.toEqual(lost);
    };

    describe('claiming', () => {
      test('an empty store has nothing to claim', async () => {
        expect(await its.saga.claimNext('a', LONG_MS)).toBeNull();
      });

      test('a new job is claimed as queued, at its first step, with nothing known', async () => {
        const id = await its.addJob();
        const { claim: claimed, job } = await claim('a');
        expect(claimed).toMatchObject({ jobId: id, owner: 'a' });
        expect(job).toMatchObject({
          id,
          state: 'queued',
          data: {},
          stepIndex: 0,
          pivoted: false,
          cancelRequested: false,
          error: null,
        });
      });

      test('a claimed job is not claimed again while the lease runs', async () => {
        await its.addJob();
        await claim('a');
        expect(await its.saga.claimNext('a', LONG_MS)).toBeNull();
        expect(await its.saga.claimNext('b', LONG_MS)).toBeNull();
      });

      test('the oldest due job comes first', async () => {
        const first = await its.addJob();
        const second = await its.addJob();
        expect((await claim('a')).claim.jobId).toBe(first);
        expect((await claim('a')).claim.jobId).toBe(second);
      });

      test('a job whose lease expired is claimed by another, with a higher epoch', async () => {
        const id = await its.addJob();
        const before = await claim('a', SHORT_MS);
        const after = await its.eventually('takeover', () => its.saga.claimNext('b', LONG_MS));
        expect(after.claim.jobId).toBe(id);
        expect(after.claim.epoch).toBeGreaterThan(before.claim.epoch);
      });

      test('a lease that is renewed does not expire', async () => {
        await its.addJob();
        const other = await its.addJob();
        const { claim: claimed } = await claim('a', SHORT_MS);
        await claim('b', SHORT_MS);
        await its.saga.renew(claimed, LONG_MS);
        expect(claimed.leaseUntilMs).toBeGreaterThan(0);
        const taken = await its.eventually('takeover', () => its.saga.claimNext('c', LONG_MS));
        expect(taken.claim.jobId).toBe(other);
        expect(await its.saga.claimNext('c', LONG_MS)).toBeNull();
      });

      test('a released job may be claimed at once', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { state: 'running', stepIndex: 3 });
        await its.saga.release(claimed);
        const again = await claim('b');
        expect(again.job).toMatchObject({ id, state: 'running', stepIndex: 3 });
      });

      test('releasing a lost claim disturbs nobody', async () => {
        await its.addJob();
        const { claim: old } = await claim('a');
        await its.saga.release(old);
        const { claim: now } = await claim('b');
        await its.saga.release(old);
        await its.saga.write(now, { stepIndex: 1 });
      });
    });

    describe('fencing', () => {
      test('whoever lost the claim to another can neither renew, read nor write', async () => {
        await its.addJob();
        const { claim: old } = await claim('a', SHORT_MS);
        const { claim: now } = await its.eventually('takeover', () => its.saga.claimNext('b', LONG_MS));
        await expectLost(old);
        expect((await its.saga.read(now)).stepIndex).toBe(0);
      });

      test('the same owner with an older epoch has lost too', async () => {
        await its.addJob();
        const { claim: old } = await claim('a', SHORT_MS);
        await its.eventually('takeover', () => its.saga.claimNext('a', LONG_MS));
        await expectLost(old);
      });

      test('another owner with the right epoch has no claim', async () => {
        await its.addJob();
        const { claim: claimed } = await claim('a');
        await expectLost({ ...claimed, owner: 'b' });
      });

      test('a lost write leaves no step behind', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.release(claimed);
        await expect(its.saga.write(claimed, { step: stepRecord('unplug') })).rejects.toEqual(lost);
        expect(await its.steps(id)).toEqual([]);
      });

      test('nothing is written to a job that ended', async () => {
        await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { state: 'succeeded' });
        await expectLost(claimed);
      });
    });

    describe('writing', () => {
      test('absent fields stay, data is merged at its top level', async () => {
        await its.addJob();
        const { claim: claimed } = await claim('a');
        const error = new HandoverError('MIGRATION_FAILED', 'it failed', {
          detail: { libvirtCode: 9 },
        }).toJSON();
        const write = (patch: SagaPatch<MigrationData>) => its.saga.write(claimed, patch);
        await write({ state: 'running', stepIndex: 2, data: { persistent: true, warnings: ['one'] } });
        await write({ error });
        const job = await write({ data: { warnings: ['two'], downtimeMs: null } });
        expect(job).toMatchObject({ state: 'running', stepIndex: 2, error, pivoted: false });
        expect(job.data).toEqual({ persistent: true, warnings: ['two'], downtimeMs: null });
        expect((await write({ error: null })).error).toBeNull();
        expect(await its.saga.read(claimed)).toEqual(await write({}));
      });

      test('the pivot is one-way', async () => {
        await its.addJob();
        const { claim: claimed } = await claim('a');
        expect((await its.saga.write(claimed, { pivoted: true })).pivoted).toBe(true);
        expect((await its.saga.write(claimed, { pivoted: false })).pivoted).toBe(true);
      });

      test('a job that waits is queued again, given up, and not due before its time', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        const wait = { reason: '2 migrations already leave host-a (place 1)', delayMs: SHORT_MS * 3 };
        expect((await its.saga.write(claimed, { wait })).state).toBe('queued');
        expect(await its.waitReason(id)).toBe(wait.reason);
        expect(await its.saga.claimNext('b', LONG_MS)).toBeNull();
        await expectLost(claimed);
        const again = await its.eventually('its turn', () => its.saga.claimNext('b', LONG_MS));
        expect(again.job).toMatchObject({ id, state: 'queued' });
        await its.saga.write(again.claim, { state: 'running' });
        expect(await its.waitReason(id)).toBeNull();
      });

      test.each(['succeeded', 'failed', 'cancelled'] as const)(
        'a %s job is never claimed again',
        async (state) => {
          await its.addJob();
          const { claim: claimed } = await claim('a', SHORT_MS);
          await its.saga.write(claimed, { state });
          const other = await its.addJob();
          await claim('a', SHORT_MS);
          // When the other's lease has expired, so has the first one's.
          const next = await its.eventually('next', () => its.saga.claimNext('b', LONG_MS));
          expect(next.claim.jobId).toBe(other);
          expect(await its.saga.claimNext('b', LONG_MS)).toBeNull();
        },
      );

      test('a parked job is not claimed until it is retried, and then goes on as what it was', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { state: 'undoing', stepIndex: 5 });
        await its.saga.write(claimed, { state: 'needs_operator' });
        await its.saga.release(claimed);
        expect(await its.saga.claimNext('b', LONG_MS)).toBeNull();
        await its.retry(id);
        expect((await claim('b')).job).toMatchObject({ id, state: 'undoing', stepIndex: 5 });
      });

      test('a retry fences whoever parked the job and still holds it', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { state: 'running' });
        await its.saga.write(claimed, { state: 'needs_operator' });
        await its.retry(id);
        await expectLost(claimed);
        expect((await claim('b')).job.state).toBe('running');
      });
    });

    describe('steps', () => {
      test('are numbered by first start and count how often run was begun', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        const write = (step: SagaStepRecord) => its.saga.write(claimed, { step });
        await write(stepRecord('reserve'));
        await write(stepRecord('reserve', { state: 'finished', message: '2 VFs' }));
        await write(stepRecord('unplug'));
        await write(stepRecord('unplug', { item: 'vnic-1' }));
        await write(stepRecord('unplug'));
        await write(stepRecord('unplug', { state: 'failed', message: 'the guest refused' }));
        await write(stepRecord('shift', { state: 'skipped', message: 'no agent' }));
        expect(await its.steps(id)).toMatchObject([
          { number: 1, name: 'reserve', vnicId: null, state: 'finished', attempts: 1, message: '2 VFs' },
          {
            number: 2,
            name: 'unplug',
            vnicId: null,
            state: 'failed',
            attempts: 2,
            message: 'the guest refused',
          },
          { number: 3, name: 'unplug', vnicId: 'vnic-1', state: 'started', attempts: 1, endedAt: null },
          { number: 4, name: 'shift', vnicId: null, state: 'skipped', attempts: 0, message: 'no agent' },
        ]);
      });

      test('have an end only while they are not running', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        const endedAt = async (state: SagaStepRecord['state']) => {
          await its.saga.write(claimed, { step: stepRecord('plug', { state }) });
          return (await its.steps(id))[0]?.endedAt;
        };
        expect(await endedAt('started')).toBeNull();
        const failedAt = await endedAt('failed');
        expect(failedAt).toEqual(expect.any(Number));
        expect(await endedAt('undone')).toBe(failedAt);
        expect(await endedAt('started')).toBeNull();
      });

      test('of one job written at once all get a number of their own', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        const items = Array.from({ length: 16 }, (_, index) => `vnic-${index}`);
        await Promise.all(
          items.map((item) => its.saga.write(claimed, { step: stepRecord('unplug', { item }) })),
        );
        const steps = await its.steps(id);
        expect(steps.map((step) => step.number)).toEqual(items.map((_, index) => index + 1));
        expect(new Set(steps.map((step) => step.vnicId))).toEqual(new Set(items));
      });
    });

    describe('cancelling', () => {
      test('a cancel before the pivot is seen by the next read and by the next write', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        expect(await its.requestCancel(id)).toBe('accepted');
        expect((await its.saga.read(claimed)).cancelRequested).toBe(true);
        expect((await its.saga.write(claimed, { stepIndex: 1 })).cancelRequested).toBe(true);
      });

      test('a cancel after the pivot or the end is too late', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { pivoted: true });
        expect(await its.requestCancel(id)).toBe('too_late');
        expect((await its.saga.write(claimed, { state: 'succeeded' })).cancelRequested).toBe(false);
        expect(await its.requestCancel(id)).toBe('too_late');
      });

      test('a job that waits its turn is due at once when it is cancelled', async () => {
        const id = await its.addJob();
        const { claim: claimed } = await claim('a');
        await its.saga.write(claimed, { wait: { reason: 'no place', delayMs: LONG_MS } });
        expect(await its.saga.claimNext('b', LONG_MS)).toBeNull();
        expect(await its.requestCancel(id)).toBe('accepted');
        expect((await claim('b')).job).toMatchObject({ id, cancelRequested: true });
      });
    });

    test('a new job, a cancel, a release and an end wake the runner', async () => {
      let wakes = 0;
      const stop = its.saga.onWake(() => {
        wakes += 1;
      });
      const expectWake = async <T>(act: () => Promise<T>): Promise<T> => {
        const before = wakes;
        const result = await act();
        await its.eventually('wake', () => Promise.resolve(wakes > before ? true : null));
        return result;
      };
      const id = await expectWake(() => its.addJob());
      const { claim: first } = await claim('a');
      await expectWake(() => its.requestCancel(id));
      await expectWake(() => its.saga.release(first));
      const { claim: second } = await claim('a');
      await expectWake(() => its.saga.write(second, { state: 'cancelled' }));
      stop();
      const before = wakes;
      await its.addJob();
      await its.saga.claimNext('a', LONG_MS);
      expect(wakes).toBe(before);
    });
  });
}

const stepRecord = (name: string, over: Partial<SagaStepRecord> = {}): SagaStepRecord => ({
  name,
  item: null,
  state: 'started',
  message: null,
  ...over,
});
