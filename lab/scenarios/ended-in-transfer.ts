/**
 * The guest reboots while its memory is on its way, which the move survives; on the way back somebody powers
 * the VM off: the job says so, nothing is held, and the VM starts again with the VF of its definition.
 */
import { domainState, domainXml, guestExec, waitForActive, waitForGuest } from '../guest.ts';
import { consolePath, vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec, tryHostExec } from '../ssh.ts';
import { vfPciAddress } from '../topology.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  endTransfer,
  hostdevs,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'ended-in-transfer',
  title: 'a VM that reboots during its move arrives; one powered off is down on its source and starts again',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { name } = guest.place;
      const rebootedId = await migrateIntoTransfer(api, guest, 'b');
      await hostExec('b', `: >${consolePath(name)}`);
      await Promise.all([
        hostExec('a', `virsh -q event --domain ${name} --event reboot --timeout 60`),
        // From inside: libvirt itself refuses virsh reset while a domain moves. Later, so that the agent
        // answers and the reboot is watched for.
        guestExec('a', guest, '(sleep 3; reboot -f) >/dev/null 2>&1 &'),
      ]);
      // A guest that boots writes all over its memory and would never get across slowly.
      await endTransfer('a', guest);
      const rebooted = await api.ended(rebootedId, MIGRATION_LIMIT_MS);
      checks.equal('the job of the VM that rebooted', [rebooted.state, rebooted.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await waitForGuest('b', guest);
      await waitForActive('b', guest, vfInterfaceName(guest.machine));

      const offId = await migrateIntoTransfer(api, guest, 'a');
      await hostExec('b', `virsh -q destroy ${name}`);
      const off = await api.ended(offId, MIGRATION_LIMIT_MS);
      checks.equal('the job of the VM that was powered off', off.state, 'failed');
      checks.that(
        'it says so',
        /shut off|stopped running|shut_off/.test(off.error?.message ?? ''),
        off.error,
      );
      checks.equal('state on host b', await domainState('b', guest), 'shut off');
      checks.equal('state on host a', await domainState('a', guest), undefined);
      const definition = await domainXml('b', guest, 'inactive');
      checks.equal('the definition names the VF', hostdevs(definition), [vfPciAddress(0)]);
      for (const letter of ['a', 'b'] as const) await checkVfFree(checks, letter, 0);
      await checkNothingHeld(checks, api);

      const started = await tryHostExec('b', `: >${consolePath(name)}; virsh -q start ${name}`);
      checks.equal('virsh start', [started.status, started.stderr], [0, '']);
      await waitForGuest('b', guest);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
    }),
};
export default scenario;
