/**
 * The hosts lose each other while memory is on its way; the engine reaches both. Pivot table: source running,
 * target paused and never run, whose copy libvirt keeps until it has given its peer up.
 */
import { setHostToHost, useStockKeepalive } from '../faults.ts';
import { domainState, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import {
  checkAtHome,
  checkMovedTo,
  engineName,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'link-cut-in-transfer',
  title:
    'a VM whose hosts lose each other during the transfer stays with its VF; with the link back it moves',
  async run(lab) {
    // The target keeps the lab's long patience: what it waits with must be ended by the engine.
    await useStockKeepalive('a');
    await withEngine(lab, {}, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      const id = await migrateIntoTransfer(api, guest, 'b');
      await setHostToHost('cut');
      checks.equal('state on host b meanwhile', await domainState('b', guest), 'paused');
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error?.code], ['failed', 'MIGRATION_FAILED']);
      checks.that(
        'it says where the VM is',
        job.error?.message.includes('was not moved and stays on host-a') ?? false,
        job.error,
      );
      await checkAtHome(checks, api, guest);
      await waitForActive('a', guest, vfInterfaceName(guest.machine));

      await setHostToHost('joined');
      const again = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job with the link back', [again.state, again.error], ['succeeded', null]);
      await checkMovedTo(checks, api, guest, 'b');
    });
  },
};
export default scenario;
