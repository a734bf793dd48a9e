/**
 * A guest with its root disk on storage both hosts share, writing while it moves; then the same with a local
 * disk copied.
 */
import { domainXml, guestExec, makeGuestDisk } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { hostExec, tryHostExec } from '../ssh.ts';
import { checkNothingHeld, checkRunsOn, engineName, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

const SHARED = '/srv/shared/g1.qcow2';
/** Appends numbered lines with a checksum of each, forced to disk. */
const WRITER = 'i=0; while :; do i=$((i+1)); echo "line $i" >>/data.log; sync; sleep 0.2; done';
const WHOLE = `awk '{ if ($2 != NR) { print "hole at " NR; exit 1 } } END { print NR }' /data.log`;

const scenario: Scenario = {
  name: 'disk',
  title: 'a guest that writes to a disk on shared storage moves, and nothing it wrote is missing',
  async run(lab) {
    await makeGuestDisk('a', SHARED);
    await withEngine(
      lab,
      { guest: { disk: { path: SHARED, format: 'qcow2' } } },
      async ({ api, guest, checks }) => {
        await guestExec('a', guest, `(${WRITER}) >/dev/null 2>&1 </dev/null &`);
        const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
        checks.equal('the job', [job.state, job.error], ['succeeded', null]);
        await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
        await checkNothingHeld(checks, api);
        const lines = await guestExec('b', guest, WHOLE);
        checks.that('every line written is there', Number(lines) > 5, lines);
        checks.that('the disk is the same file', (await domainXml('b', guest, 'live')).includes(SHARED));
        // What is on the disk, not only in the guest's cache: looked at with the guest gone.
        await hostExec('b', `virsh -q destroy ${guest.place.name}`, { limitMs: 60_000 });
        const check = await tryHostExec('b', `qemu-img check -q ${SHARED}`, { limitMs: 120_000 });
        checks.equal('qemu-img check', check.status, 0);
      },
    );
  },
};
export default scenario;
