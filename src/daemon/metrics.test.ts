/** What an engine counts, as Prometheus reads it. */
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

const GAPS = { unplug: 40, switchover: 112, plug: null, longest: 112 };

test('gaps are counted by phase, and one that is not known as such', async () => {
  const metrics = createMetrics();
  metrics.jobEnded({ kind: 'migrate_vm', state: 'succeeded', networkGapMs: GAPS, downtimeMs: 80 });
  metrics.jobEnded({ kind: 'drill_vm', state: 'succeeded', networkGapMs: null, downtimeMs: null });
  metrics.jobEnded({ kind: 'migrate_vm', state: 'failed', networkGapMs: null, downtimeMs: null });
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    'handover_jobs_ended_total{kind="migrate_vm",state="succeeded"} 1',
    'handover_jobs_ended_total{kind="migrate_vm",state="failed"} 1',
    'handover_network_gap_seconds_sum{kind="migrate_vm",phase="switchover"} 0.112',
    'handover_network_gap_unknown_total{kind="drill_vm"} 1',
    'handover_downtime_seconds_count 1',
  ])
    expect(lines).toContain(line);
  expect(lines.filter((line) => /phase="plug"|unknown_total{kind="migrate/.test(line))).toEqual([]);
});
