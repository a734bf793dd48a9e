/**
 * The QEMU of the target dies after the guest resumed in it. Before libvirt is done with the move, the source
 * lets its copy run again, and an operator decides; after it, the VM is lost. Pivot table: source running,
 * target crashed; then source absent, target crashed. What the move left defined starts cold with its VF.
 */
import { atLifecycle, killGuest, killGuestCommand } from '../faults.ts';
import { domainState, domainXml, waitForActive, waitForGuest } from '../guest.ts';
import { consolePath, vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { vfPciAddress } from '../topology.ts';
import {
  checkAutostart,
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  engineName,
  hostdevs,
  MIGRATION_LIMIT_MS,
  waitForAlert,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'target-killed-after-pivot',
  title:
    'a VM that dies after its arrival is said to be lost, or to run on its source, and never started again',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { name } = guest.place;
      await hostExec('a', `virsh -q autostart ${name}`);
      const died = atLifecycle('b', 'Resumed', killGuestCommand(guest));
      const id = await api.migrate(name, engineName('b'));
      await died;
      const alert = await waitForAlert(api, /had arrived on host-b and is crashed there now/);
      checks.that('the alert says how to go on', alert.message.includes(`handover job abandon ${id}`), alert);
      checks.equal('state on host a', await domainState('a', guest), 'running');
      checks.equal('state on host b', await domainState('b', guest), 'shut off');
      await api.request('POST', `/api/jobs/${id}/abandon`);
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', job.state, 'failed');
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
      // The operator sees to it that the VM does not start on the target.
      await hostExec('b', `virsh -q undefine ${name}`);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      await checkAutostart(checks, 'a', guest);
      await checkNothingHeld(checks, api);

      const left = atLifecycle('a', 'Stopped');
      const lostId = await api.migrate(name, engineName('b'));
      await left;
      await killGuest('b', guest);
      const lost = await api.ended(lostId, MIGRATION_LIMIT_MS);
      checks.equal('the job', [lost.state, lost.error?.code], ['failed', 'MIGRATION_FAILED']);
      checks.that(
        'it says where to start it',
        /went down right after the move; start it again on host-b/.test(lost.error?.message ?? ''),
        lost.error,
      );
      checks.equal('state on host b', await domainState('b', guest), 'shut off');
      checks.equal('state on host a', await domainState('a', guest), undefined);
      const definition = await domainXml('b', guest, 'inactive');
      checks.equal('the definition names the VF', hostdevs(definition), [vfPciAddress(0)]);
      await checkAutostart(checks, 'b', guest);
      for (const each of ['a', 'b'] as const) await checkVfFree(checks, each, 0);
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);

      const start = `: >${consolePath(name)} && virsh -q start ${name}`;
      await hostExec('b', start, { limitMs: 180_000 });
      await waitForGuest('b', guest);
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
    }),
};
export default scenario;
