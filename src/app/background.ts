/**
 * What an engine does by itself: drives migrations and drills, watches its hosts, plugs what is missing. Any
 * number of engines may do so on one database.
 */
import type { MigrationSaga } from '../migration/migrate-vm.ts';
import { vmSagas } from '../migration/sagas.ts';
import { type RunnerOptions, startRunner } from '../saga/runner.ts';
import { startHostClaims } from './host-claims.ts';
import { startHostMonitor } from './host-monitor.ts';
import { migrationPorts } from './migration-ports.ts';
import type { AppParts } from './parts.ts';
import { startReconciler } from './reconciler.ts';

export interface Background {
  /** Stops all of it; jobs and hosts are given up for others to take. Waits for calls on the way. */
  stop(): Promise<void>;
}

/** Starts it. Hosts are claimed under the runner's name and lease. */
export function startBackground(
  parts: AppParts,
  options: RunnerOptions,
  sagas: readonly MigrationSaga[] = vmSagas(migrationPorts(parts)),
): Background {
  const claims = startHostClaims(parts, options.owner, options.leaseMs);
  const reconciler = startReconciler(parts, claims);
  const monitor = startHostMonitor(parts, claims, () => reconciler.wake());
  const runner = startRunner(sagas, parts.store.jobs.saga, parts.clock, parts.log, options);
  return {
    async stop() {
      await runner.stop();
      await Promise.all([reconciler.stop(), monitor.stop()]);
      await claims.stop();
    },
  };
}
