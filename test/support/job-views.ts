/** Jobs as the native API answers them, for tests of what is made of them. */
import type { JobView } from '../../src/api/types/job-view.ts';

type StepView = JobView['steps'][number];

/** The moment the jobs of tests begin. */
export const JOB_START_MS = Date.UTC(2026, 0, 2, 12);
/** So long after it, as ISO 8601. */
export const jobTime = (afterMs: number): string => new Date(JOB_START_MS + afterMs).toISOString();

/** A migration of web-1, whose vNIC nic1 has a VF, from host-a to host-b; it has just begun. */
export function aJobView(overrides: Partial<JobView> = {}): JobView {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    kind: 'migrate_vm',
    vm: 'web-1',
    vmId: '00000000-0000-4000-8000-000000000002',
    source: 'host-a',
    sourceId: '00000000-0000-4000-8000-00000000000a',
    target: 'host-b',
    targetId: '00000000-0000-4000-8000-00000000000b',
    step: 'preflight',
    state: 'running',
    ended: false,
    pivoted: false,
    cancelRequested: false,
    waitReason: null,
    protocol: null,
    createdAt: jobTime(0),
    startedAt: jobTime(0),
    endedAt: null,
    steps: [],
    vnics: [
      {
        name: 'nic1',
        mac: '52:54:00:00:00:01',
        sourcePf: 'ens1f0',
        sourceVf: '0000:3b:02.0',
        targetPf: 'ens2f0',
        targetVf: '0000:5e:02.3',
        state: 'plugged',
      },
    ],
    progress: null,
    samples: [],
    moments: {
      unplugAskedAt: null,
      transferStartedAt: null,
      resumedAt: null,
      plugAskedAt: null,
      performReturnedAt: null,
      returnedAt: null,
    },
    downtimeMs: null,
    networkGapMs: null,
    networkGaps: [],
    warnings: [],
    leftBehind: [],
    error: null,
    ...overrides,
  };
}

/** A step that took from 100 to 200 ms, or goes on. */
export const aStepView = (name: string, overrides: Partial<StepView> = {}): StepView => ({
  name,
  vnic: null,
  state: 'finished',
  attempts: 1,
  message: null,
  startedAt: jobTime(100),
  endedAt: overrides.state === 'started' ? null : jobTime(200),
  ...overrides,
});
