/** PFs with their VFs, asked for through the native API and changed through oVirt's. */
import { useQuery } from '@tanstack/react-query';
import type { PfUseView } from '../../../../src/api/types/fleet-view.ts';
import { ask } from '../../server/ask.ts';
import type { ServerFault } from '../../server/fault.ts';
import { listKey } from '../../server/keys.ts';
import { hostsChanged } from './host-list.ts';

/** What somebody changes on the host by hand makes no event; asked for again this often. */
const LOOKED_EVERY_MS = 10_000;

/** The PFs of a host. Among the lists, since moves between other hosts and jobs change them too. */
export const usePfs = (hostId: string) =>
  useQuery({
    queryKey: listKey('hosts', 'pfs', hostId),
    refetchInterval: LOOKED_EVERY_MS,
    queryFn: ({ signal }) => ask<readonly PfUseView[]>(`/api/hosts/${hostId}/pfs`, { signal }),
  });

const nicPath = (hostId: string, pf: PfUseView): string => `hosts/${hostId}/nics/${pf.nicId}`;

/** Changes the number of VFs; as it was typed. Answered once they are there. Throws what `ask` throws. */
export async function saveVfCount(hostId: string, pf: PfUseView, count: string): Promise<void> {
  try {
    await configure(hostId, pf, { number_of_virtual_functions: count.trim() });
  } finally {
    // A refusal says that what is shown may be old.
    await hostsChanged();
  }
}

/** Of a dialog that changes a PF. */
export interface PfDialogProps {
  readonly hostId: string;
  readonly pf: PfUseView;
  readonly onClose: () => void;
}

/** Which field a refusal of that is about; null: none of them. */
export const countFieldOf = ({ code }: ServerFault): string | null =>
  ['VFS_IN_USE', 'INVALID_INPUT'].includes(code) ? 'count' : null;

/** The networks a PF's VFs may serve. */
export interface Allowed {
  readonly all: boolean;
  /** Not used if all are. */
  readonly networkIds: readonly string[];
  readonly labels: readonly string[];
}

/** Changes them, one after the other, as oVirt's API has it. Throws what `ask` throws. */
export async function saveAllowed(hostId: string, pf: PfUseView, wanted: Allowed): Promise<void> {
  try {
    if (wanted.all !== pf.allNetworksAllowed) {
      await configure(hostId, pf, { all_networks_allowed: String(wanted.all) });
    }
    if (wanted.all) return;
    const path = nicPath(hostId, pf);
    await saveList(`${path}/virtualfunctionallowednetworks`, pf.networkIds, wanted.networkIds);
    await saveList(`${path}/virtualfunctionallowedlabels`, pf.labels, wanted.labels);
  } finally {
    await hostsChanged();
  }
}

/** `blue, red`, as it was typed. */
export const labelsOf = (text: string): readonly string[] => [
  ...new Set(text.split(/[\s,]+/).filter((label) => label !== '')),
];

async function configure(hostId: string, pf: PfUseView, configuration: object): Promise<void> {
  await ask(`${nicPath(hostId, pf)}/updatevirtualfunctionsconfiguration`, {
    method: 'POST',
    body: { virtual_functions_configuration: configuration },
  });
}

/** What is new first: a list that is empty for a moment would allow nothing. */
async function saveList(path: string, before: readonly string[], after: readonly string[]): Promise<void> {
  for (const id of after.filter((each) => !before.includes(each))) {
    await ask(path, { method: 'POST', body: { id } });
  }
  for (const id of before.filter((each) => !after.includes(each))) {
    await ask(`${path}/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }
}
