/**
 * Somebody else takes the reserved VF of the target while the memory is on its way: another one that fits is
 * used, and where there is none the guest stays on its standby under an alert until one is free again.
 */
import { systemClock, until } from '../../src/base/clock.ts';
import type { EngineApi } from '../engine-api.ts';
import { type Guest, takeVf, waitForActive } from '../guest.ts';
import { standbyInterfaceName, vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import type { HostLetter } from '../topology.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

/** Slow enough that a domain can be started on the target meanwhile. */
const SLOW = { bandwidth_mib_per_second: '2' };

async function moveWhile(api: EngineApi, guest: Guest, to: HostLetter, act: () => Promise<unknown>) {
  const id = await migrateIntoTransfer(api, guest, to, SLOW);
  await act();
  return api.ended(id, MIGRATION_LIMIT_MS);
}

const scenario: Scenario = {
  name: 'vf-stolen-in-transfer',
  title: 'a VF stolen during the transfer is replaced by another, or waited for under an alert',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const first = await moveWhile(api, guest, 'b', () => takeVf('b', 0));
      checks.equal('the job with one VF stolen', [first.state, first.error], ['succeeded', null]);
      checks.that(
        'the job says which VF it took instead',
        first.steps.some(({ name, message }) => name === 'plug' && message?.includes('0000:01:10.2')),
        first.steps,
      );
      await checkRunsOn(checks, guest, 'b', { vf: 1, persistent: false, vfsElsewhere: 'foreign' });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);

      const thieves: Guest[] = [];
      const second = await moveWhile(api, guest, 'a', async () => {
        thieves.push(await takeVf('a', 0), await takeVf('a', 1));
      });
      checks.equal('the job with every VF stolen', [second.state, second.error], ['succeeded', null]);
      checks.equal(
        'state of the vNIC',
        second.vnics.map((vnic) => vnic.state),
        ['unplugged'],
      );
      const alerts = await api.alerts();
      checks.that(
        'an alert stands that names the VM',
        alerts.some((alert) => alert.message.includes(guest.place.name)),
        alerts,
      );
      await waitForActive('a', guest, standbyInterfaceName(guest.machine));

      await hostExec('a', `virsh -q destroy ${thieves[1]?.place.name}`);
      await until(systemClock, 'the alert to clear itself', { limitMs: 180_000, everyMs: 500 }, async () =>
        (await api.alerts()).length === 0 ? true : undefined,
      );
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
      await checkRunsOn(checks, guest, 'a', { vf: 1, persistent: false, vfsElsewhere: 'foreign' });
    }),
};
export default scenario;
