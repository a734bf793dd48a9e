/**
 * One migration, as a list. Read it from top to bottom: this is the product.
 *
 *   reserve    the target's VFs for every vNIC at once, the source's for the way back    -> undo: release
 *   preflight  everything that can be known without touching anything
 *   disks      only with --copy-storage: empty images on the target                     -> undo: remove
 *   shift      traffic to the standby path while the VF still works
 *   unplug     every VF, asked for at once, each with its limit                         -> undo: plug again
 *   recheck    what libvirt could not check while the VFs were in
 *   transfer   the memory, until the guest runs on the target
 *              ------- the pivot: decided by looking at both hosts, never from memory -------
 *   plug       every vNIC on its reserved VF, as soon as the guest runs there
 *   verify     traffic seen on the VF, not just a device in a list
 *   release    the source: its copy gone, its VFs free
 *
 * Anything that fails before the pivot is undone from the bottom up, and the VM is on its source with its
 * VFs. After the pivot there is only forward: a vNIC that could not be plugged stands under an alert and is
 * retried, the VM never goes back. The runner (`saga/`) makes it durable; each step looks at the hosts before
 * it acts, so a crash anywhere is a repeat.
 */
import type { MigrateParams, MigrationData } from '../model/job.ts';
import type { Step } from '../saga/definition.ts';
import type { Saga } from '../saga/job-run.ts';
import { migrationContext } from './context.ts';
import { announceEnd } from './end.ts';
import type { MigrationContext, MigrationPorts } from './port.ts';
import { disks } from './steps/disks.ts';
import { plug } from './steps/plug.ts';
import { preflight } from './steps/preflight.ts';
import { recheck } from './steps/recheck.ts';
import { release } from './steps/release.ts';
import { reserve } from './steps/reserve.ts';
import { shift } from './steps/shift.ts';
import { transfer } from './steps/transfer.ts';
import { unplug } from './steps/unplug.ts';
import { verify } from './steps/verify.ts';

/** The steps, in order. */
export const MIGRATION_STEPS: readonly Step<MigrationContext>[] = [
  reserve,
  preflight,
  disks,
  shift,
  unplug,
  recheck,
  transfer,
  plug,
  verify,
  release,
];

/** What a runner drives. */
export type MigrationSaga = Saga<MigrateParams, MigrationData, MigrationContext>;

/** The saga, ready for the runner. */
export function migrateVmSaga(ports: MigrationPorts): MigrationSaga {
  return {
    name: 'migrate_vm',
    steps: MIGRATION_STEPS,
    context: (base) => migrationContext(base, ports),
    ended: announceEnd,
  };
}
