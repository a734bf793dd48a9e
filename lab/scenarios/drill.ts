/**
 * A drill: what a migration does to the guest's network, done where it is, and measured from outside as well.
 */
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import { activeInterface } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { checkAtHome, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

/** Two probes of one guest see the same silence, but for their own intervals and the load of the machine. */
const PROBES_APART_MS = 100;

const scenario: Scenario = {
  name: 'drill',
  title:
    'a drill takes the VF out and puts it back where the VM is, and finds the network gap that others see',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { address, name } = guest.place;
      await hostExec('a', `virsh -q autostart ${name}`);
      const { id } = await api.vm(name);
      await api.request('POST', `/api/vms/${id}/guest/probe?address=${address}`, {});
      const probe = await Probe.start(address);
      const { id: jobId } = await api.request<JobView>('POST', `/api/vms/${id}/guest/drill`, {});
      const job = await api.ended(jobId, MIGRATION_LIMIT_MS);
      const seen = await probe.stop();
      checks.equal('the job', [job.kind, job.state, job.error], ['drill_vm', 'succeeded', null]);
      const { lastDrill } = await api.request<GuestView>('GET', `/api/vms/${id}/guest`);
      checks.equal('what it found', [lastDrill?.ok, lastDrill?.reason], [true, null]);
      checks.equal(
        'how it measured',
        lastDrill?.networkGaps.map(({ by, doubt }) => [by, doubt]),
        [['probe', null]],
      );
      const gapMs = lastDrill?.networkGapMs?.longest ?? 0;
      checks.that(
        'the gap is one that the other probe saw',
        gapMs > 0 && gapMs <= seen.longestGapMs + PROBES_APART_MS,
        { gapMs, seen },
      );
      checks.equal('the bond sends over', await activeInterface('a', guest), vfInterfaceName(guest.machine));
      await checkAtHome(checks, api, guest);
    }),
};
export default scenario;
