/** The fleet at a glance, as the engine tells it. */
import { useQuery } from '@tanstack/react-query';
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import { ask } from '../../server/ask.ts';
import { listKey } from '../../server/keys.ts';

/** Counts, VFs and alerts. The live jobs in it are asked for more often by `useJobs`. */
export const useOverview = () =>
  useQuery({
    queryKey: listKey('hosts', 'overview'),
    queryFn: async ({ signal }) => await ask<OverviewView>('/api/overview', { signal }),
  });
