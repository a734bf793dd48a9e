/** Every saga there is, by the kind of its jobs. */
import type { JobKind } from '../model/job.ts';
import type { Step } from '../saga/definition.ts';
import { DRILL_STEPS, drillVmSaga } from './drill-vm.ts';
import { MIGRATION_STEPS, type MigrationSaga, migrateVmSaga } from './migrate-vm.ts';
import type { MigrationContext, MigrationPorts } from './port.ts';

/** The steps of each, in order. */
export const STEPS_OF = {
  migrate_vm: MIGRATION_STEPS,
  drill_vm: DRILL_STEPS,
} as const satisfies Record<JobKind, readonly Step<MigrationContext>[]>;

/** All of them, ready for the runner. */
export const vmSagas = (ports: MigrationPorts): readonly MigrationSaga[] => [
  migrateVmSaga(ports),
  drillVmSaga(ports),
];
