/**
 * Named points of an engine at which it can be made to die, stand still or wait: wrapped around its store and
 * its hosts, so that the product has no hooks for it.
 *
 *   STEP:before-run     recorded as started, nothing done yet
 *   STEP:after-run      done, not recorded yet
 *   STEP:after-record   recorded as finished
 *   STEP:after-undo     undone, not recorded yet
 *   STEP:undo-recorded  recorded as undone
 *   undoing:recorded    decided to undo, nothing undone yet
 *   job:ended           recorded as ended, nobody told yet
 *   place:given         VFs and place reserved, not noted by the job yet
 *   hold:taken, hold:ended   a VF held for a plug of the reconciler; what became of it recorded
 *   VERB:before, VERB:after  around each act on a host: about to be sent; happened, its answer not seen yet
 */
import type { Store } from '../../../src/app/store-port.ts';
import type { Hypervisor, Hypervisors, MigrateRequest } from '../../../src/hypervisor/port.ts';
import { MIGRATION_STEPS } from '../../../src/migration/migrate-vm.ts';
import type { MigrateParams, MigrationData } from '../../../src/model/job.ts';
import type { SagaJob, SagaStore } from '../../../src/saga/port.ts';

/** Called at every point; what waits for it goes on when it resolves. */
export type Reach = (point: string) => Promise<void>;

/** Verbs that change something on a host. */
export const ACTS = [
  'requestUnplug',
  'plug',
  'defineVnic',
  'undefineVnic',
  'setDefinedVfs',
  'start',
  'reattachVf',
  'resetVf',
  'setVfCount',
  'migrate',
  'abortMigration',
  'destroy',
  'resume',
  'undefine',
  'setAutostart',
  'createDisk',
  'removeDisk',
] as const satisfies readonly (keyof Hypervisor)[];

type Job = SagaJob<MigrateParams, MigrationData>;

/** The same store, with points. */
export function storeWithPoints<S extends Store>(store: S, reach: Reach): S {
  const reservations: Store['reservations'] = {
    ...store.reservations,
    async reserve(...args) {
      await store.reservations.reserve(...args);
      await reach('place:given');
    },
    async hold(...args) {
      await store.reservations.hold(...args);
      await reach('hold:taken');
    },
    async endHold(...args) {
      await store.reservations.endHold(...args);
      await reach('hold:ended');
    },
  };
  const jobs = { ...store.jobs, saga: sagaWithPoints(store.jobs.saga, reach) };
  return { ...store, reservations, jobs };
}

function sagaWithPoints(
  saga: SagaStore<MigrateParams, MigrationData>,
  reach: Reach,
): SagaStore<MigrateParams, MigrationData> {
  const jobs = new Map<string, Job>();
  return {
    ...saga,
    async claimNext(owner, leaseMs) {
      const claimed = await saga.claimNext(owner, leaseMs);
      if (claimed) jobs.set(claimed.claim.jobId, claimed.job);
      return claimed;
    },
    async write(claim, patch) {
      const before = jobs.get(claim.jobId);
      const write = async () => {
        const job = await saga.write(claim, patch);
        jobs.set(claim.jobId, job);
        return job;
      };
      const { step, stepIndex, state } = patch;
      const isUndo = before?.state === 'undoing' && stepIndex === before.stepIndex - 1;
      const undone = isUndo ? MIGRATION_STEPS[stepIndex] : undefined;
      if (undone?.undo) await reach(`${undone.name}:after-undo`);
      const ended = !isUndo && stepIndex !== undefined && step?.item === null && state === undefined;
      if (ended) await reach(`${step.name}:after-run`);
      const job = await write();
      if (undone?.undo) await reach(`${undone.name}:undo-recorded`);
      if (ended) await reach(`${step.name}:after-record`);
      if (step?.item === null && step.state === 'started') await reach(`${step.name}:before-run`);
      if (state === 'undoing') await reach('undoing:recorded');
      if (state !== undefined && ['succeeded', 'failed', 'cancelled'].includes(state))
        await reach('job:ended');
      return job;
    },
  };
}

/** The same hosts, with points around every act; `tell` hears of each act just before it is sent. */
export function hypervisorsWithPoints(
  hypervisors: Hypervisors,
  reach: Reach,
  tell: (act: string) => void,
): Hypervisors {
  const bare = new WeakMap<Hypervisor, Hypervisor>();
  const wrapped = new WeakMap<Hypervisor, Hypervisor>();
  const acts: readonly string[] = ACTS;
  const wrap = (host: Hypervisor): Hypervisor => {
    const proxy = new Proxy(host, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        const verb = value as (...args: unknown[]) => Promise<unknown>;
        if (typeof name !== 'string' || !acts.includes(name)) return verb.bind(target);
        return async (...args: unknown[]) => {
          await reach(`${name}:before`);
          tell(name);
          const [request] = args as [MigrateRequest];
          const rest =
            name === 'migrate'
              ? [{ ...request, target: bare.get(request.target) ?? request.target }, ...args.slice(1)]
              : args;
          const answer = await verb.apply(target, rest);
          await reach(`${name}:after`);
          return answer;
        };
      },
    });
    bare.set(proxy, host);
    return proxy;
  };
  return {
    host(endpoint) {
      const host = hypervisors.host(endpoint);
      const known = wrapped.get(host) ?? wrap(host);
      wrapped.set(host, known);
      return known;
    },
    interfaceOn: (vnic) => hypervisors.interfaceOn(vnic),
    readDefinition: (given) => hypervisors.readDefinition(given),
    forget: (id) => hypervisors.forget(id),
    close: () => hypervisors.close(),
  };
}
