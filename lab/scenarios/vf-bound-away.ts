/**
 * Between the reservation of a VF and its attach somebody on the target takes it past libvirt: a process that
 * uses it through vfio-pci, as a DPDK application does.
 */
import { holdVf } from '../faults.ts';
import { vfFacts, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { vfPciAddress } from '../topology.ts';
import {
  checkAutostart,
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

/** Slow enough that the VF is gone before the guest arrives. */
const MIB_PER_SECOND = 10;

const scenario: Scenario = {
  name: 'vf-bound-away',
  title: 'a VF bound away during the transfer is replaced by another, and left to who has it',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      const id = await migrateIntoTransfer(api, guest, 'b', MIB_PER_SECOND);
      await holdVf('b', 0);
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      checks.that(
        'it says which VF it took instead',
        job.steps.some(({ name, message }) => name === 'plug' && message?.includes(vfPciAddress(1))),
        job.steps,
      );
      await checkRunsOn(checks, guest, 'b', { vf: 1, persistent: false });
      await checkAutostart(checks, 'b', guest);
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
      const stranger = await vfFacts('b', 0);
      checks.equal('driver of the VF of the stranger', stranger.driver, 'vfio-pci');
      checks.that('it does not carry the MAC of the VM', stranger.mac !== guest.place.vfMac, stranger);
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
