/** The plan of a migration, and its start. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { PlanView } from '../../../../../src/api/types/vm-view.ts';
import { useRefreshOnEvents } from '../../../parts/use-line.ts';
import { ask } from '../../../server/ask.ts';
import type { ServerFault } from '../../../server/fault.ts';
import { listKey, oneKey } from '../../../server/keys.ts';
import { queryClient } from '../../../server/query-client.ts';

/** Events of other VMs and hosts take VFs and give them back. */
const REFRESH_EVERY_MS = 2_000;

/** How to migrate; texts as they were typed, empty ones leave it to Handover. */
export interface MigrateFields {
  /** Empty: Handover chooses the host. */
  readonly hostId: string;
  readonly unplugTimeoutS: string;
  readonly downtimeMsMax: string;
  readonly bandwidthMiBps: string;
  readonly copyStorage: boolean;
}

/** Everything left to Handover. */
export const FIELDS_UNTOUCHED: MigrateFields = {
  hostId: '',
  unplugTimeoutS: '',
  downtimeMsMax: '',
  bandwidthMiBps: '',
  copyStorage: false,
};

/** The plan of a VM, kept fresh by whatever happens. One caller asks for one VM alone. */
export function usePlan(vmId: string, { copyStorage = false }: { readonly copyStorage?: boolean } = {}) {
  const queryKey = oneKey('vms', vmId, 'plan', copyStorage);
  useRefreshOnEvents(queryKey, REFRESH_EVERY_MS);
  return useQuery({
    queryKey,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      await ask<PlanView>(`/api/vms/${vmId}/plan${copyStorage ? '?copyStorage=true' : ''}`, { signal }),
  });
}

/** Begins it and answers the id of the job. Throws what `ask` throws. */
export async function startMigration(vmId: string, fields: MigrateFields): Promise<string> {
  const { hostId, unplugTimeoutS, downtimeMsMax, bandwidthMiBps, copyStorage } = fields;
  const { job } = await ask<{ readonly job: { readonly id: string } }>(`vms/${vmId}/migrate`, {
    method: 'POST',
    body: {
      ...(hostId === '' ? {} : { host: { id: hostId } }),
      ...typed('unplug_timeout_ms', unplugTimeoutS, 1_000),
      ...typed('downtime_ms_max', downtimeMsMax, 1),
      ...typed('bandwidth_mib_per_second', bandwidthMiBps, 1),
      ...(copyStorage ? { copy_storage: 'true' } : {}),
    },
  });
  void queryClient.invalidateQueries({ queryKey: oneKey('vms', vmId) });
  void queryClient.invalidateQueries({ queryKey: listKey('vms') });
  void queryClient.invalidateQueries({ queryKey: listKey('jobs') });
  return job.id;
}

/** Which option a fault is about; null: none of them. */
export function fieldOf({ message }: Pick<ServerFault, 'message'>): string | null {
  if (/unplug.timeout/.test(message)) return 'unplugTimeoutS';
  if (/downtime.(limit|ms)/.test(message)) return 'downtimeMsMax';
  return /\bbandwidth/.test(message) ? 'bandwidthMiBps' : null;
}

/** What is no number goes to the engine as it was typed, which says so. */
function typed(name: string, text: string, factor: number): Readonly<Record<string, string>> {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  const value = Number(trimmed);
  return { [name]: Number.isFinite(value) ? String(Math.round(value * factor)) : trimmed };
}
