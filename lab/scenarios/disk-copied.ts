/** A guest with a local disk, copied along. */
import { guestExec, makeGuestDisk } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { tryHostExec } from '../ssh.ts';
import { checkNothingHeld, checkRunsOn, engineName, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

const LOCAL = '/var/lib/libvirt/images/g1.qcow2';

const scenario: Scenario = {
  name: 'disk-copied',
  title:
    'a guest with a local disk is refused without --copy-storage and moves with it; the original ' +
    'stays and is named',
  async run(lab) {
    await makeGuestDisk('a', LOCAL);
    await withEngine(
      lab,
      { guest: { disk: { path: LOCAL, format: 'qcow2' } } },
      async ({ api, guest, checks }) => {
        await guestExec('a', guest, 'echo kept >/kept && sync');
        const refused = await api.ended(
          await api.migrate(guest.place.name, engineName('b')),
          MIGRATION_LIMIT_MS,
        );
        checks.equal(
          'the job without copying',
          [refused.state, refused.error?.code],
          ['failed', 'MIGRATION_REFUSED'],
        );
        checks.that('it says what to do', /copy-storage/.test(refused.error?.message ?? ''), refused.error);
        await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
        const job = await api.ended(
          await api.migrate(guest.place.name, engineName('b'), { copy_storage: 'true' }),
          MIGRATION_LIMIT_MS,
        );
        checks.equal('the job with copying', [job.state, job.error], ['succeeded', null]);
        checks.that(
          'the original is named',
          job.leftBehind.some((text) => text.includes(LOCAL)),
          job.leftBehind,
        );
        await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
        await checkNothingHeld(checks, api);
        checks.equal('what the guest wrote', await guestExec('b', guest, 'cat /kept'), 'kept');
        checks.equal('the original is still there', (await tryHostExec('a', `test -e ${LOCAL}`)).status, 0);
      },
    );
  },
};
export default scenario;
