/**
 * A VF is taken out of a running guest by its user and given back: what the guest and the host have of it.
 * Then the VM is stopped, and started while somebody else has the VF of its definition.
 */
import { domainState, domainXml, takeVf, waitForActive, waitForGuest } from '../guest.ts';
import { consolePath, standbyInterfaceName, vfInterfaceName } from '../guest-xml.ts';
import { PROFILE_OF_LAB } from '../lab-names.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  engineName,
  hostdevs,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'vnic-replugged',
  title:
    'an unplugged VF is free and stays out over a move; plugged again it is as before; a stopped VM starts ' +
    'with another where its own is taken',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const { id } = await api.vm(guest.place.name);
      const nics = await api.list(`vms/${id}/nics`, 'nic');
      const nic = `vms/${id}/nics/${nics.find((each) => each['interface'] === 'pci_passthrough')?.id}`;
      const set = (what: string) => api.request('POST', `/ovirt-engine/api/${nic}/${what}`, {});

      await set('deactivate');
      for (const which of ['live', 'inactive'] as const)
        checks.equal(`VFs of the ${which} domain`, hostdevs(await domainXml('a', guest, which)), []);
      await checkVfFree(checks, 'a', 0);
      await waitForActive('a', guest, standbyInterfaceName(guest.machine));

      const moved = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job', [moved.state, moved.error], ['succeeded', null]);
      for (const which of ['live', 'inactive'] as const)
        checks.equal(`VFs of the ${which} domain`, hostdevs(await domainXml('b', guest, which)), []);
      await checkVfFree(checks, 'b', 0);

      await set('activate');
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
      await checkNothingHeld(checks, api);

      const profile = await api.named('vnicprofiles', 'vnic_profile', PROFILE_OF_LAB.profile);
      const added = await api.add(`vms/${id}/nics`, {
        name: 'fast',
        interface: 'pci_passthrough',
        vnic_profile: { id: profile.id },
      });
      for (const which of ['live', 'inactive'] as const)
        checks.equal(`VFs of the ${which} domain`, hostdevs(await domainXml('b', guest, which)).length, 2);
      const path = `/ovirt-engine/api/vms/${id}/nics/${added.id}`;
      await api.request('POST', `${path}/deactivate`, {});
      await api.request('DELETE', path);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'b', 1);

      const back = await api.ended(await api.migrate(guest.place.name, engineName('a')), MIGRATION_LIMIT_MS);
      checks.equal('the job', [back.state, back.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });

      const act = (what: string) => api.request('POST', `/ovirt-engine/api/vms/${id}/${what}`, {});
      await act('stop');
      checks.equal('state on host a', await domainState('a', guest), 'shut off');
      await checkVfFree(checks, 'a', 0);
      await takeVf('a', 0);
      await hostExec('a', `: >${consolePath(guest.place.name)}`);
      await act('start');
      await waitForGuest('a', guest);
      await checkRunsOn(checks, guest, 'a', { vf: 1, persistent: true, vfsElsewhere: 'foreign' });
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
