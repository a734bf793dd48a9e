/** A page of VMs, and whether each can move, which is asked for apart. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { MovabilityView, VmPage } from '../../../../src/api/types/vm-view.ts';
import { useRefreshOnEvents } from '../../parts/use-line.ts';
import { ask } from '../../server/ask.ts';
import { listKey } from '../../server/keys.ts';

/** VMs on a page: their rows are drawn within a frame or two, so nobody who types waits for them. */
export const VMS_SHOWN = 25;
/** Planning for a page of VMs is no small work for the engine. */
const MOVABILITY_EVERY_MS = 10_000;
const SETTLED_MS = 300;

/** Which VMs; empty texts are any. `page` counts from 1. */
export interface VmFilter {
  readonly name: string;
  readonly hostId: string;
  readonly page: number;
}

/** A page of VMs; the one before stays until the next has come. */
export const useVmPage = ({ name, hostId, page }: VmFilter) =>
  useQuery({
    queryKey: listKey('vms', name, hostId, page),
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const query = new URLSearchParams({
        name,
        host: hostId,
        skip: String((page - 1) * VMS_SHOWN),
        max: String(VMS_SHOWN),
      });
      return await ask<VmPage>(`/api/vms?${query.toString()}`, { signal });
    },
  });

/**
 * Whether these VMs can move, by their ids; those that are not known yet are not in it. Asked for when they
 * stay for a moment, so that turning pages makes no work for nobody.
 */
export function useMovability(wanted: readonly string[]) {
  const ids = useSettled(wanted.join(','), SETTLED_MS);
  const queryKey = listKey('movability', ids);
  useRefreshOnEvents(queryKey, MOVABILITY_EVERY_MS);
  return useQuery({
    queryKey,
    enabled: ids !== '',
    staleTime: MOVABILITY_EVERY_MS,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      await ask<readonly MovabilityView[]>(`/api/movability?vms=${ids}`, { signal }),
    select: byVmId<MovabilityView>,
  });
}

/** The first value at once, a later one when it has stayed for `pauseMs`. */
function useSettled<T>(value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value, pauseMs]);
  return settled;
}

/** What there is of each VM, by its id. */
export const byVmId = <T extends { readonly vmId: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.vmId, each]));
