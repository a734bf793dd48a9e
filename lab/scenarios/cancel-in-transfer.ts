/** A cancel while memory is being copied: the VM stays, and has its VF again. */
import { waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'cancel-in-transfer',
  title: 'a cancel during the transfer ends with the VM on its source and the VF it had',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const id = await migrateIntoTransfer(api, guest, 'b');
      // Answers 200 only if the job will end on the source.
      await api.cancel(guest.place.name);
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', job.state, 'cancelled');
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      await checkVfFree(checks, 'b', 0);
      await checkNothingHeld(checks, api);
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
