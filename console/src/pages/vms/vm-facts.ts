/** One VM: asked for by the native API, changed by oVirt's. */
import { useQuery } from '@tanstack/react-query';
import type { GuestView } from '../../../../src/api/types/guest-view.ts';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { VmView, VnicView } from '../../../../src/api/types/vm-view.ts';
import { ask } from '../../server/ask.ts';
import { listKey, oneKey } from '../../server/keys.ts';
import { queryClient } from '../../server/query-client.ts';

const JOBS_SHOWN = 20;

/** A VM with its vNICs. */
export const useVm = (id: string) =>
  useQuery({
    queryKey: oneKey('vms', id),
    queryFn: async ({ signal }) => await ask<VmView>(`/api/vms/${encodeURIComponent(id)}`, { signal }),
  });

/** Its newest jobs. */
export const useJobsOfVm = (id: string) =>
  useQuery({
    queryKey: oneKey('vms', id, 'jobs'),
    queryFn: async ({ signal }) =>
      await ask<readonly JobView[]>(`/api/jobs?vm=${encodeURIComponent(id)}&max=${JOBS_SHOWN}`, { signal }),
  });

/** The guest's side of it, as somebody looked last: a plan looks. */
export const useGuest = (id: string) =>
  useQuery({
    queryKey: oneKey('vms', id, 'guest'),
    queryFn: async ({ signal }) =>
      await ask<GuestView>(`/api/vms/${encodeURIComponent(id)}/guest`, { signal }),
  });

/** Looks at the guest now. Throws what `ask` throws. */
export async function checkGuest(id: string): Promise<void> {
  await changing(id, ask(`/api/vms/${encodeURIComponent(id)}/guest/check`, { method: 'POST' }));
}

/** Begins a drill, and returns its job. Throws what `ask` throws. */
export async function beginDrill(id: string): Promise<JobView> {
  const job = await ask<JobView>(`/api/vms/${encodeURIComponent(id)}/guest/drill`, { method: 'POST' });
  void queryClient.invalidateQueries({ queryKey: listKey('jobs') });
  void queryClient.invalidateQueries({ queryKey: oneKey('vms', id) });
  return job;
}

/** What a VM can be asked for. Each returns when it is so, or throws what `ask` throws. */
export type LifecycleVerb = 'start' | 'shutdown' | 'stop';

/** Starts, shuts down or stops it. */
export async function changeLifecycle(vmId: string, verb: LifecycleVerb): Promise<void> {
  await changing(vmId, ask(`vms/${vmId}/${verb}`, { method: 'POST', body: {} }));
}

/** Removes its definition. */
export async function removeVm(vmId: string): Promise<void> {
  await ask(`vms/${vmId}`, { method: 'DELETE' });
  void queryClient.invalidateQueries({ queryKey: listKey('vms') });
}

/** Of a dialog that changes a vNIC. */
export interface VnicDialogProps {
  readonly vm: VmView;
  readonly vnic: VnicView;
  readonly onClose: () => void;
}

/** Plugs or unplugs a vNIC. */
export async function setPlugged(vmId: string, nicId: string, isPlugged: boolean): Promise<void> {
  const verb = isPlugged ? 'activate' : 'deactivate';
  await changing(vmId, ask(`vms/${vmId}/nics/${nicId}/${verb}`, { method: 'POST', body: {} }));
}

/** Gives a vNIC another profile. */
export async function setProfile(vmId: string, nicId: string, profileId: string): Promise<void> {
  const body = { vnic_profile: { id: profileId } };
  await changing(vmId, ask(`vms/${vmId}/nics/${nicId}`, { method: 'PUT', body }));
}

/** A vNIC to be. Empty texts leave it to Handover. */
export interface NewVnic {
  readonly name: string;
  readonly profileId: string;
  /** `pci_passthrough` for a VF. */
  readonly model: string;
  readonly mac: string;
  readonly plugged: boolean;
}

/** Adds a vNIC. */
export async function addVnic(vmId: string, vnic: NewVnic): Promise<void> {
  const body = {
    name: vnic.name.trim(),
    interface: vnic.model,
    plugged: String(vnic.plugged),
    ...(vnic.profileId === '' ? {} : { vnic_profile: { id: vnic.profileId } }),
    ...(vnic.mac.trim() === '' ? {} : { mac: { address: vnic.mac.trim() } }),
  };
  await changing(vmId, ask(`vms/${vmId}/nics`, { method: 'POST', body }));
}

/** Removes a vNIC that no running guest has. */
export async function removeVnic(vmId: string, nicId: string): Promise<void> {
  await changing(vmId, ask(`vms/${vmId}/nics/${nicId}`, { method: 'DELETE' }));
}

/** What came of it, failed or not, is looked at before the caller goes on. */
async function changing(vmId: string, change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } finally {
    void queryClient.invalidateQueries({ queryKey: listKey('vms') });
    await queryClient.invalidateQueries({ queryKey: oneKey('vms', vmId) });
  }
}
