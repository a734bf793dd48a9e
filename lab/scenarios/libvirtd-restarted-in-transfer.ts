/**
 * libvirtd dies (SIGKILL) and is started again while memory is on its way, on the source and then on the
 * target. Pivot table: source running, target absent.
 */
import { killLibvirtd, startLibvirtd } from '../faults.ts';
import { waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { checkAtHome, migrateIntoTransfer, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'libvirtd-restarted-in-transfer',
  title: 'a libvirtd restarted during the transfer, of either host, leaves the VM on its source with its VF',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      for (const letter of ['a', 'b'] as const) {
        // Slow enough that libvirtd is back before the memory would be across.
        const id = await migrateIntoTransfer(api, guest, 'b');
        await killLibvirtd(letter);
        await startLibvirtd(letter);
        const job = await api.ended(id, MIGRATION_LIMIT_MS);
        checks.equal(
          `the job whose libvirtd of ${letter} was restarted`,
          [job.state, job.error?.code],
          ['failed', 'MIGRATION_FAILED'],
        );
        checks.that(
          'it says where the VM is',
          job.error?.message.includes('was not moved and stays on host-a') ?? false,
          job.error,
        );
        await checkAtHome(checks, api, guest);
      }
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
