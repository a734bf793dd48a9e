/** Jobs, their steps, and events. */
import { bool, date, entity, int, list, ref, text, word } from '../wire/fields.ts';
import { named } from './common.ts';

/** oVirt's `step`. */
export const stepType = entity('step', 'steps', {
  description: text,
  end_time: date,
  external: bool,
  external_type: text,
  job: ref('job'),
  number: int,
  parent_step: ref('step'),
  progress: int,
  start_time: date,
  status: word('started', 'finished', 'failed', 'aborted', 'unknown'),
  type: word('validating', 'executing', 'finalizing', 'rebalancing_volume', 'removing_bricks', 'unknown'),
});

/** oVirt's `job`. */
export const jobType = entity('job', 'jobs', {
  auto_cleared: bool,
  description: text,
  end_time: date,
  external: bool,
  last_updated: date,
  owner: ref('user'),
  start_time: date,
  status: word('started', 'finished', 'failed', 'aborted', 'unknown'),
  steps: list('step', ref('step')),
});

/** oVirt's `event`. */
export const eventType = entity('event', 'events', {
  ...named,
  cluster: ref('cluster'),
  code: int,
  correlation_id: text,
  custom_id: int,
  data_center: ref('data_center'),
  flood_rate: int,
  host: ref('host'),
  index: int,
  origin: text,
  severity: word('normal', 'warning', 'error', 'alert'),
  time: date,
  vm: ref('vm'),
  /** Extension. */
  job: ref('job'),
});
