/**
 * A VM whose user gives it an ordinary vNIC and takes that away again; then the VM itself is removed, made
 * anew from its definition, and started with its VF.
 */
import { domainState, domainXml, waitForActive, waitForGuest } from '../guest.ts';
import { consolePath, vfInterfaceName } from '../guest-xml.ts';
import { PROFILE_OF_LAB } from '../lab-names.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { BRIDGE } from '../topology.ts';
import { checkNothingHeld, checkRunsOn, checkVfFree, engineName, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'vm-made-anew',
  title:
    'a virtio vNIC is added, unplugged, plugged and removed; a VM is removed, made anew from its ' +
    'definition and started with its VF',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { id } = await api.vm(guest.place.name);
      const network = await api.add('networks', { name: BRIDGE.name });
      const profile = await api.add('vnicprofiles', { name: BRIDGE.name, network: { id: network.id } });
      const spare = await api.add(`vms/${id}/nics`, {
        name: 'spare',
        interface: 'virtio',
        vnic_profile: { id: profile.id },
      });
      const { address } = spare['mac'] as { address: string };
      const path = `/ovirt-engine/api/vms/${id}/nics/${spare.id}`;
      const checkSpare = async (when: string, isThere: boolean) => {
        for (const which of ['live', 'inactive'] as const) {
          const xml = await domainXml('a', guest, which);
          checks.equal(`the ${which} domain has the spare vNIC, ${when}`, xml.includes(address), isThere);
        }
      };
      await checkSpare('added', true);
      await api.request('POST', `${path}/deactivate`, {});
      await checkSpare('unplugged', false);
      await api.request('POST', `${path}/activate`, {});
      await checkSpare('plugged again', true);
      await api.request('POST', `${path}/deactivate`, {});
      await api.request('DELETE', path);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });

      const definition = await domainXml('a', guest, 'inactive');
      await api.request('POST', `/ovirt-engine/api/vms/${id}/stop`, {});
      await api.request('DELETE', `/ovirt-engine/api/vms/${id}`);
      checks.equal('state of the removed VM', await domainState('a', guest), undefined);
      await checkVfFree(checks, 'a', 0);

      const made = await api.add('vms', {
        host: { name: engineName('a') },
        initialization: { configuration: { type: 'libvirt', data: definition } },
      });
      checks.equal('the VM that was made', [made.id, made.status], [id, 'down']);
      const nics = await api.list(`vms/${id}/nics`, 'nic');
      const vf = nics.find((nic) => nic['interface'] === 'pci_passthrough');
      const { id: fast } = await api.named('vnicprofiles', 'vnic_profile', PROFILE_OF_LAB.profile);
      await api.request('PUT', `/ovirt-engine/api/vms/${id}/nics/${vf?.id}`, { vnic_profile: { id: fast } });
      await hostExec('a', `: >${consolePath(guest.place.name)}`);
      await api.request('POST', `/ovirt-engine/api/vms/${id}/start`, {});
      await waitForGuest('a', guest);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
