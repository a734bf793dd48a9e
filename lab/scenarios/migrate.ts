/** The heart of it: there and back over qemu+ssh, traffic watched from outside. */
import { activeInterface, guestExec } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { TcpTransfer } from '../tcp-transfer.ts';
import {
  checkNothingHeld,
  checkPlugMoment,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  other,
  withEngine,
} from './support.ts';

/** The quiet figure is 1 s; a silence this long is no switchover any more. */
const GAP_LIMIT_MS = 30_000;

const scenario: Scenario = {
  name: 'migrate',
  title:
    'a guest with a VF moves there and back over qemu+ssh, its TCP connection lives, nothing is left behind',
  run: (lab) =>
    withEngine(lab, { transport: 'ssh' }, async ({ api, guest, checks }) => {
      await hostExec('a', `virsh -q autostart ${guest.place.name}`);
      const inside = () =>
        'cat /sys/class/net/bond0/bonding/slaves; ls -d /sys/class/net/*/device | sort; for d in ' +
        '/sys/class/net/*/device; do readlink $d; done';
      const seenInside = await guestExec('a', guest, inside());
      for (const target of ['b', 'a'] as const) {
        const probe = await Probe.start(guest.place.address);
        const transfer = TcpTransfer.start(guest.place.address);
        const job = await api.ended(
          await api.migrate(guest.place.name, engineName(target)),
          MIGRATION_LIMIT_MS,
        );
        const tcp = await transfer.finish();
        const totals = await probe.stop();
        checks.equal(`the job to ${target}`, [job.state, job.error], ['succeeded', null]);
        checks.that('the TCP connection survived with its data whole', tcp.survived, tcp);
        checks.that(`no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
        checkPlugMoment(checks, job);
        await checkRunsOn(checks, guest, target, { vf: 0, persistent: true });
        await checkVfFree(checks, other(target), 0);
        await checkNothingHeld(checks, api);
        checks.equal(
          'the bond sends over the VF',
          await activeInterface(target, guest),
          vfInterfaceName(guest.machine),
        );
        checks.equal(
          'the guest sees the same interfaces at the same addresses',
          await guestExec(target, guest, inside()),
          seenInside,
        );
        const autostart = await hostExec(target, `virsh -q dominfo ${guest.place.name} | grep -i autostart`);
        checks.that('autostart went along', /enable/.test(autostart), autostart);
      }
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
