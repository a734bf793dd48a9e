/**
 * The procedure of the feature page Handover was commissioned from, step by step, as `handover guest kit VM
 * --format nmcli` words it, in a Debian under NetworkManager; then one migration by the engine.
 */
import { domainXml, guestExec, waitForLeg, writeGuestFile } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { kitText, moveUnderTraffic } from './managed-guest.ts';
import { hostdevs, withEngine } from './support.ts';

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

      // By the engine, which would plug a VF again that left behind its back.
      const { id } = await api.vm(name);
      const nics = await api.list(`vms/${id}/nics`, 'nic');
      const nic = nics.find((each) => each['interface'] === 'pci_passthrough');
      const set = (what: 'activate' | 'deactivate') =>
        api.request('POST', `/ovirt-engine/api/vms/${id}/nics/${nic?.id}/${what}`, {});
      await set('deactivate');
      checks.equal('VFs of the domain', hostdevs(await domainXml('a', guest, 'live')), []);
      await waitForLeg('a', guest, 'standby');
      await set('activate');
      await waitForLeg('a', guest, 'vf');

      await moveUnderTraffic(api, checks, guest, 'b', 'feature-page');
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
