/** Every VF of the target is used by foreign domains: refused before anything is touched, with the reason. */
import { ApiRefusal } from '../engine-api.ts';
import { describeGuest } from '../guest.ts';
import { guestXml } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { checkNothingHeld, checkRunsOn, engineName, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'no-free-vf',
  title: 'a target whose VFs are all taken by others is refused with the names, and nothing has changed',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      for (const vf of [0, 1]) {
        const foreign = describeGuest({ number: 2 + vf, vf, memoryMiB: 64 });
        await hostExec('b', 'cat >/tmp/foreign.xml && virsh -q create --paused /tmp/foreign.xml', {
          input: guestXml(foreign.shape),
          limitMs: 180_000,
        });
      }
      const hostB = await api.named('hosts', 'host', engineName('b'));
      await api.request('POST', `/ovirt-engine/api/hosts/${hostB.id}/refresh`, {});
      const refusal = await api.migrate(guest.place.name, engineName('b')).then(
        () => null,
        (error: unknown) => error,
      );
      checks.that(
        'the migration is refused with 409',
        refusal instanceof ApiRefusal && refusal.status === 409,
        String(refusal),
      );
      const text = String(refusal);
      checks.that(
        'the answer names the PF and who has its VFs',
        /pf0/.test(text) && /g2/.test(text) && /g3/.test(text),
        text,
      );
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true, vfsElsewhere: 'foreign' });
      await checkNothingHeld(checks, api);
    }),
};
export default scenario;
