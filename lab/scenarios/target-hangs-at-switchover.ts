/**
 * The target's libvirtd hangs while memory is on its way, so the source's asks it in vain to let the guest
 * run; then both die. Pivot table: source paused without a job, target unreachable, where nothing is done;
 * with the target's back, which ends what never ran: source paused without a job, target absent.
 */
import { hangLibvirtd, killLibvirtd, startLibvirtd } from '../faults.ts';
import { domainState, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { checkAtHome, migrateIntoTransfer, MIGRATION_LIMIT_MS, waitForAlert, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'target-hangs-at-switchover',
  title:
    'a VM that stands still while its target hangs is not touched until the target is seen, then runs again',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      const id = await migrateIntoTransfer(api, guest, 'b', 20);
      await hangLibvirtd('b');
      // All memory is across, and the source's libvirtd waits for the target's word.
      const status = `/run/libvirt/qemu/${guest.place.name}.xml`;
      await hostExec('a', `until grep -q "phase='perform3_done'" ${status}; do sleep 0.2; done`);
      await killLibvirtd('a');
      // A hanging daemon costs every look its limit; a dead one answers at once that it is none.
      await killLibvirtd('b');
      await startLibvirtd('a');
      const alert = await waitForAlert(api, /waits: the source is paused and the target does not answer/);
      checks.that('the alert says that nothing is done', /Nothing is resumed/.test(alert.message), alert);
      checks.equal('state on host a meanwhile', await domainState('a', guest), 'paused');
      await startLibvirtd('b');
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error?.code], ['failed', 'MIGRATION_FAILED']);
      await checkAtHome(checks, api, guest);
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
