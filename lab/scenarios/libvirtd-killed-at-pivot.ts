/**
 * A libvirtd dies (SIGKILL) the moment the guest resumes on the target, and is started again. The source's:
 * the pivot table's source unreachable, target running; then source paused without a job, target running. On
 * the way back the target's, whose last answer the source then lacks, and lets its copy run again: source
 * running, target unreachable; then both running.
 */
import { atLifecycle, KILL_LIBVIRTD, killLibvirtd, setHostToHost, startLibvirtd } from '../faults.ts';
import { domainState, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import {
  checkMovedTo,
  engineName,
  eventsOf,
  MIGRATION_LIMIT_MS,
  waitForAlert,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'libvirtd-killed-at-pivot',
  title:
    'a libvirtd that dies at the pivot, of either host, never leaves two copies: the one on the target stays',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { name } = guest.place;
      await hostExec('a', `virsh -q autostart ${name}`);
      const arrived = atLifecycle('b', 'Resumed');
      const id = await api.migrate(name, engineName('b'));
      await arrived;
      // Without the target's last answer the source can not finish before it dies.
      await setHostToHost('cut');
      await killLibvirtd('a');
      await setHostToHost('joined');
      await waitForAlert(api, /runs on the target, but host-a does not answer/);
      await startLibvirtd('a');
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job whose source died', [job.state, job.error], ['succeeded', null]);
      await checkMovedTo(checks, api, guest, 'b');
      await waitForActive('b', guest, vfInterfaceName(guest.machine));

      const died = atLifecycle('a', 'Resumed', KILL_LIBVIRTD);
      const backId = await api.migrate(name, engineName('a'));
      await died;
      await waitForAlert(api, /had arrived on host-a, which does not answer, and is running on host-b, too/);
      checks.equal('state on host b meanwhile', await domainState('b', guest), 'running');
      await startLibvirtd('a');
      const back = await api.ended(backId, MIGRATION_LIMIT_MS);
      const events = await eventsOf(api, backId);
      const ended = events.find((message) => message.includes('ran on both hosts'));
      checks.that(
        'an event says that two copies ran, and for how long',
        /at most \d+ ms/.test(ended ?? ''),
        events,
      );
      checks.equal('the job whose target died', [back.state, back.error], ['succeeded', null]);
      await checkMovedTo(checks, api, guest, 'a');
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
