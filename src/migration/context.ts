/**
 * Builds the context of one migration: both hosts' verbs, each checked against the claim before it is sent.
 */
import { HandoverError } from '../base/errors.ts';
import type { Hypervisor, MigrateRequest } from '../hypervisor/port.ts';
import type { Host } from '../model/host.ts';
import type { MigrateParams, MigrationData } from '../model/job.ts';
import type { StepContext } from '../saga/definition.ts';
import type { MigrationContext, MigrationPorts } from './port.ts';

const bare = new WeakMap<Hypervisor, Hypervisor>();

/**
 * The same verbs, each refused with `CLAIM_LOST` once the lease has run out: the database's epoch cannot
 * fence libvirt, so a paused old owner must find out for itself before it acts.
 */
export function guarded(hypervisor: Hypervisor, assertHeld: (this: void) => void): Hypervisor {
  const guard = new Proxy(hypervisor, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        assertHeld();
        if (name !== 'migrate') return (value as (...given: unknown[]) => unknown).apply(target, args);
        const [request, signal] = args as [MigrateRequest, AbortSignal];
        return target.migrate({ ...request, target: bare.get(request.target) ?? request.target }, signal);
      };
    },
  });
  bare.set(guard, hypervisor);
  return guard;
}

/** Adds hosts and ports to the runner's context. */
export async function migrationContext(
  base: StepContext<MigrateParams, MigrationData>,
  ports: MigrationPorts,
): Promise<MigrationContext> {
  const { params } = base;
  const sourceHost = await ports.hostRecord(params.sourceHostId);
  const source = guarded(await ports.hypervisor(params.sourceHostId), base.assertHeld);
  let target: { host: Host; hypervisor: Hypervisor } | null = null;
  // The base's getters must stay live, so the context is built on it rather than copied from it.
  return Object.assign(Object.create(base) as StepContext<MigrateParams, MigrationData>, {
    ports,
    vmId: params.vmId,
    vmName: params.vmName,
    sourceHost,
    source,
    async target() {
      const id = base.data.targetHostId;
      if (id === undefined) throw new HandoverError('ASSERTION_FAILED', 'no target was reserved yet');
      if (target?.host.id !== id) {
        const hypervisor = guarded(await ports.hypervisor(id), base.assertHeld);
        target = { host: await ports.hostRecord(id), hypervisor };
      }
      return target;
    },
    runtime: { call: null, suspendedAtMs: null, resumedOnTarget: false, traffic: null, windingDown: null },
  });
}
