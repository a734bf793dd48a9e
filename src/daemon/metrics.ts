/**
 * What this engine has done since it started, for Prometheus. Memory only: whoever scrapes keeps it, and adds
 * up the engines. Made by the engine, filled at the end of jobs.
 */
import { Counter, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../app/parts.ts';

/** From a probe interval to a silence nobody overlooks. */
const SECONDS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Metrics without a sample. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const ended = new Counter({
    name: 'handover_jobs_ended_total',
    help: 'Jobs that ended on this engine',
    labelNames: ['kind', 'state'],
    registers,
  });
  const gap = new Histogram({
    name: 'handover_network_gap_seconds',
    help: 'Longest time without traffic in a phase of a job',
    labelNames: ['kind', 'phase'],
    buckets: SECONDS,
    registers,
  });
  const unknown = new Counter({
    name: 'handover_network_gap_unknown_total',
    help: 'Jobs that succeeded and whose network gap is not known',
    labelNames: ['kind'],
    registers,
  });
  const downtime = new Histogram({
    name: 'handover_downtime_seconds',
    help: 'Time a guest stood still at the switchover of a migration',
    buckets: SECONDS,
    registers,
  });
  return {
    jobEnded({ kind, state, networkGapMs, downtimeMs }) {
      ended.inc({ kind, state });
      if (downtimeMs !== null) downtime.observe(downtimeMs / 1000);
      if (networkGapMs === null) {
        if (state === 'succeeded') unknown.inc({ kind });
        return;
      }
      for (const phase of ['unplug', 'switchover', 'plug'] as const) {
        const ms = networkGapMs[phase];
        if (ms !== null) gap.observe({ kind, phase }, ms / 1000);
      }
    },
    text: () => registry.metrics(),
  };
}
