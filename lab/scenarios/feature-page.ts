/**
 * The procedure of the feature page Handover was commissioned from, step by step, as `handover guest kit VM
 * --format nmcli` words it, in a Debian under NetworkManager; then one migration by the engine.
 */
import { guestExec, waitForLeg, writeGuestFile } from '../guest.ts';
import { VF_ALIAS, vfXml } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { vfPciAddress } from '../topology.ts';
import { kitText, moveUnderTraffic } from './managed-guest.ts';
import { withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'feature-page',
  title:
    'the bond of the feature page falls to the standby without its VF and returns to it, and the VM moves',
  isLong: true,
  run: (lab) =>
    withEngine(lab, { guest: { manager: 'networkmanager' } }, async ({ api, guest, checks }) => {
      const { address, prefixLength, name } = guest.place;
      // There is no DHCP in the lab: the one word a user with a static address changes.
      const manual = `ipv4.method manual ipv4.addresses ${address}/${prefixLength}`;
      const text = (await kitText(api, guest, 'nmcli')).replaceAll('ipv4.method auto', manual);
      await writeGuestFile('a', guest, '/root/bond.sh', text);
      await guestExec('a', guest, 'sh /root/bond.sh');
      await waitForLeg('a', guest, 'vf');

      const limits = { limitMs: 120_000 };
      const isThere = `virsh -q dumpxml ${name} | grep -q ${VF_ALIAS}`;
      const wait = `for _ in $(seq 60); do ${isThere} || exit 0; sleep 0.5; done; exit 1`;
      await hostExec('a', `virsh -q detach-device-alias ${name} ${VF_ALIAS} --live && { ${wait}; }`, limits);
      await waitForLeg('a', guest, 'standby');
      await hostExec('a', `cat >/tmp/vf.xml && virsh -q attach-device ${name} /tmp/vf.xml --live`, {
        ...limits,
        input: vfXml(guest.shape, vfPciAddress(0)),
      });
      await waitForLeg('a', guest, 'vf');

      await moveUnderTraffic(api, checks, guest, 'b', 'feature-page');
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
