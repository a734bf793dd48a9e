/** How queries behave: old at once when an event says so, otherwise after some seconds. */
import { QueryClient } from '@tanstack/react-query';
import { EngineUnreachable, ServerFault } from './fault.ts';

const TRIES_MAX = 2;
const FRESH_MS = 5_000;

/** True for what may be otherwise in a moment. */
const mayPass = (thrown: unknown): boolean =>
  thrown instanceof EngineUnreachable || (thrown instanceof ServerFault && thrown.status >= 502);

/** The only one. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      retry: (failures, thrown) => failures < TRIES_MAX && mayPass(thrown),
      // The engine may be on this machine, with no network at all.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});
