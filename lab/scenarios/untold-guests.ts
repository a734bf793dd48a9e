/**
 * Guests that Handover can not look into: one without an agent, and one whose agent opens no files and runs
 * no commands, as RHEL has it. They move as others do; what is not known is said to be unknown, never
 * missing.
 */
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { EngineApi } from '../engine-api.ts';
import { bootGuest, type Guest, waitForVf } from '../guest.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import {
  checkNothingHeld,
  type Checks,
  checkRunsOn,
  engineName,
  MIGRATION_LIMIT_MS,
  refreshHost,
  waitForVm,
  withEngine,
} from './support.ts';

/** The bond moves the traffic by itself, a link check after the VF went. */
const GAP_LIMIT_MS = 30_000;

/**
 * What is said of a guest of each kind: by the readiness, and by the job about what it did without knowing.
 */
const SAID = {
  off: { codes: ['no_agent'], shift: /no guest agent answers/ },
  refusing: { codes: ['files_refused', 'commands_refused'], shift: /its agent may not read files/ },
} as const;

async function checkGuest(
  api: EngineApi,
  checks: Checks,
  guest: Guest,
  kind: keyof typeof SAID,
): Promise<void> {
  const vm = await api.named('vms', 'vm', guest.place.name);
  const seen = await api.request<GuestView>('POST', `/api/vms/${vm.id}/guest/check`, {});
  checks.equal(`the standby of ${guest.place.name}`, seen.standby, 'unknown');
  checks.equal(
    `what is said of ${guest.place.name}`,
    seen.findings.map(({ code }) => code),
    SAID[kind].codes,
  );
  checks.that(
    `every finding on ${guest.place.name} has a fix`,
    seen.findings.every(({ fix }) => fix !== null),
    seen.findings,
  );
}

async function checkMove(
  api: EngineApi,
  checks: Checks,
  guest: Guest,
  kind: keyof typeof SAID,
): Promise<void> {
  const probe = await Probe.start(guest.place.address);
  const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
  const totals = await probe.stop();
  checks.equal(`the job of ${guest.place.name}`, [job.state, job.error], ['succeeded', null]);
  const shift = job.steps.find(({ name }) => name === 'shift');
  checks.that(`why nothing was shifted is said`, SAID[kind].shift.test(shift?.message ?? ''), shift);
  checks.that('the gap is not known', job.networkGapMs === null, job.networkGapMs);
  checks.that(
    'and why is said',
    job.networkGaps.every(({ doubt }) => doubt !== null),
    job.networkGaps,
  );
  checks.that(`no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
  await waitForVf('b', guest);
}

const scenario: Scenario = {
  name: 'untold-guests',
  title:
    'guests without an agent, and with one that refuses files and commands, move with what is unknown said',
  run: (lab) =>
    withEngine(lab, { guest: { agent: 'off' } }, async ({ api, guest, checks }) => {
      const refusing = await bootGuest('a', { number: 2, vf: 1, agent: 'refusing' });
      await refreshHost(api, 'a');
      await waitForVm(api, refusing);
      for (const [each, kind, vf] of [
        [guest, 'off', 0],
        [refusing, 'refusing', 1],
      ] as const) {
        await hostExec('a', `virsh -q autostart ${each.place.name}`);
        await checkGuest(api, checks, each, kind);
        await checkMove(api, checks, each, kind);
        await checkRunsOn(checks, each, 'b', { vf, persistent: true, vfsElsewhere: 'foreign' });
      }
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
