/**
 * The number of VFs of a real PF, changed through the API: refused while a guest has one, else what the
 * host's kernel and libvirt say afterwards; and a guest moves onto a VF that was made anew.
 */
import { ApiRefusal, type EngineApi, type Entity } from '../engine-api.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { type HostLetter, PF, VF_COUNT } from '../topology.ts';
import {
  type Checks,
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const NUMVFS = `/sys/bus/pci/devices/${PF.pciAddress}/sriov_numvfs`;

/** The host's nics, and the one that is the PF. */
async function nicsOf(
  api: EngineApi,
  letter: HostLetter,
): Promise<{ nics: Entity[]; pf: Entity; path: string }> {
  const host = await api.named('hosts', 'host', engineName(letter));
  const path = `hosts/${host.id}/nics`;
  const nics = await api.list(path, 'host_nic');
  const pf = nics.find((nic) => nic['pci_address'] === PF.pciAddress);
  if (!pf) throw new Error(`host ${letter} shows no nic at ${PF.pciAddress}`);
  return { nics, pf, path: `/ovirt-engine/api/${path}/${pf.id}` };
}

async function setCount(api: EngineApi, letter: HostLetter, count: number): Promise<void> {
  const { path } = await nicsOf(api, letter);
  await api.request('POST', `${path}/updatevirtualfunctionsconfiguration`, {
    virtual_functions_configuration: { number_of_virtual_functions: String(count) },
  });
}

/** Kernel, libvirt and API agree on how many there are. */
async function checkCount(checks: Checks, api: EngineApi, letter: HostLetter, count: number): Promise<void> {
  checks.equal(`sriov_numvfs of ${letter}`, (await hostExec(letter, `cat ${NUMVFS}`)).trim(), String(count));
  const { nics, pf } = await nicsOf(api, letter);
  const vfs = nics.filter((nic) => (nic['physical_function'] as Entity | undefined)?.id === pf.id);
  checks.equal(`VFs of ${letter} that the API lists`, vfs.length, count);
  checks.equal(
    `VFs of ${letter} that are free`,
    vfs.filter((nic) => nic['virtual_function_state'] === 'free').length,
    count,
  );
}

const scenario: Scenario = {
  name: 'vf-count-changed',
  title: 'the number of VFs of a PF is changed on the host, but not while a guest has one of them',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const refused = await setCount(api, 'a', PF.vfCountMax).then(
        () => 'accepted',
        (error: unknown) => (error instanceof ApiRefusal ? `${error.status} ${error.said}` : String(error)),
      );
      checks.that(
        'it is refused while the guest has a VF, and says who',
        refused.startsWith('400 ') && refused.includes(`attached to ${guest.place.name}`),
        refused,
      );
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      for (const count of [0, PF.vfCountMax, 3]) {
        await setCount(api, 'b', count);
        await checkCount(checks, api, 'b', count);
      }
      const id = await api.migrate(guest.place.name, engineName('b'));
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job to b', [job.state, job.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await setCount(api, 'a', 0);
      await setCount(api, 'a', VF_COUNT);
      await checkCount(checks, api, 'a', VF_COUNT);
      await checkNothingHeld(checks, api);
    }),
};
export default scenario;
