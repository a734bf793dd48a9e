/**
 * Twenty times there and back under a probe: an announcement that is lost once in a while silences a guest
 * for half a minute, which few moves do not show.
 */
import { systemClock } from '../../src/base/clock.ts';
import { consoleLog } from '../console-log.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { checkRunsOn, engineName, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

const ROUND_TRIPS = 20;
const GAP_LIMIT_MS = 2_000;

const scenario: Scenario = {
  name: 'round-trips',
  title: `a guest moves there and back ${ROUND_TRIPS} times without a silence of ${GAP_LIMIT_MS / 1000} s`,
  isLong: true,
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const probe = await Probe.start(guest.place.address);
      const longest: number[] = [];
      for (let trip = 0; trip < ROUND_TRIPS; trip++) {
        for (const target of ['b', 'a'] as const) {
          const fromMs = systemClock.now();
          const job = await api.ended(
            await api.migrate(guest.place.name, engineName(target)),
            MIGRATION_LIMIT_MS,
          );
          checks.equal(`job ${trip} to ${target}`, [job.state, job.error], ['succeeded', null]);
          const gapMs = Math.round(probe.window(fromMs, systemClock.now()).longestGapMs);
          consoleLog().info(`round trip ${trip + 1}, to ${target}: longest silence ${gapMs} ms`);
          longest.push(gapMs);
        }
      }
      await probe.stop();
      const silent = longest.filter((gapMs) => gapMs >= GAP_LIMIT_MS);
      checks.equal('silences that were too long', silent, []);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
