/**
 * SIGKILL of the engine the moment the guest resumes on the target, before its VF is plugged. Pivot table, by
 * the next engine: source absent, target running. On the way back the guest arrives while no engine runs, and
 * its QEMU dies: source absent, target crashed.
 */
import { atLifecycle, killGuest } from '../faults.ts';
import { domainState, domainXml, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { vfPciAddress } from '../topology.ts';
import {
  checkMovedTo,
  checkNothingHeld,
  checkVfFree,
  endTransfer,
  engineName,
  hostdevs,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'engine-killed-at-pivot',
  title:
    'an engine killed at the pivot finds the guest on the target and plugs its VF, or says that it is lost',
  run: (lab) =>
    withEngine(lab, {}, async ({ engine, api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      const resumed = atLifecycle('b', 'Resumed');
      const id = await api.migrate(guest.place.name, engineName('b'));
      await resumed;
      await engine.process.kill();
      await engine.process.start();
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      await checkMovedTo(checks, api, guest, 'b');
      await waitForActive('b', guest, vfInterfaceName(guest.machine));

      const left = atLifecycle('b', 'Stopped');
      const backId = await migrateIntoTransfer(api, guest, 'a');
      await engine.process.kill();
      await endTransfer('b', guest);
      await left;
      await killGuest('a', guest);
      await engine.process.start();
      const lost = await api.ended(backId, MIGRATION_LIMIT_MS);
      checks.equal('the job', [lost.state, lost.error?.code], ['failed', 'MIGRATION_FAILED']);
      checks.that(
        'it says where to start the VM',
        /runs neither on host-b nor on host-a.*start it again on host-a/.test(lost.error?.message ?? ''),
        lost.error,
      );
      checks.equal('state on host a', await domainState('a', guest), 'shut off');
      checks.equal('state on host b', await domainState('b', guest), undefined);
      const definition = await domainXml('a', guest, 'inactive');
      checks.equal('the definition names the VF', hostdevs(definition), [vfPciAddress(0)]);
      for (const letter of ['a', 'b'] as const) await checkVfFree(checks, letter, 0);
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
