/**
 * One drill, as a list: what a migration does to a guest's network, where the VM is, and without moving it.
 *
 *   reserve    the VFs the VM has, so that nobody takes them while they are out       -> undo: release
 *   preflight  whether a standby carries the traffic; without one nothing is begun
 *   shift      traffic to the standby path while the VF still works                     -> undo: back again
 *   unplug     every VF, asked for at once, each with its limit                         -> undo: plug again
 *   plug       every vNIC on the VF it had: the pivot
 *   verify     traffic over the VFs again, and seen there
 *   settle     whether everything is as it was
 *
 * The steps are those of a migration whose source and target are one host; only what chooses, checks and
 * judges is a drill's own. The traffic is watched from preflight to verify.
 */
import type { Step } from '../saga/definition.ts';
import { migrationContext } from './context.ts';
import { announceDrillEnd } from './end.ts';
import type { MigrationSaga } from './migrate-vm.ts';
import type { MigrationContext, MigrationPorts } from './port.ts';
import { plugBack } from './steps/plug-back.ts';
import { preflightDrill } from './steps/preflight-drill.ts';
import { reserveOwn } from './steps/reserve-own.ts';
import { settle } from './steps/settle.ts';
import { shift } from './steps/shift.ts';
import { unplug } from './steps/unplug.ts';
import { verify } from './steps/verify.ts';

/** The steps, in order. */
export const DRILL_STEPS: readonly Step<MigrationContext>[] = [
  reserveOwn,
  preflightDrill,
  shift,
  unplug,
  plugBack,
  verify,
  settle,
];

/** The saga, ready for the runner. */
export function drillVmSaga(ports: MigrationPorts): MigrationSaga {
  return {
    name: 'drill_vm',
    steps: DRILL_STEPS,
    context: (base) => migrationContext(base, ports),
    ended: announceDrillEnd,
  };
}
