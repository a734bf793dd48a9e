/**
 * SIGKILL of the engine while memory is being copied: libvirt goes on by itself, and the next start adopts
 * what it finds.
 */
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
  name: 'engine-killed-in-transfer',
  title:
    'an engine killed during the transfer finds the VM where it is after its restart and plugs the VF there',
  run: (lab) =>
    withEngine(lab, {}, async ({ engine, api, guest, checks }) => {
      // Slow enough that the copy is still going on when the engine dies.
      const id = await migrateIntoTransfer(api, guest, 'b');
      await engine.process.kill();
      await engine.process.start();
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
    }),
};
export default scenario;
