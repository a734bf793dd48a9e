/**
 * Numbers of libvirt's domain states, reasons and lifecycle events as the names Handover uses. Pure tables.
 * Source: include/libvirt/libvirt-domain.h of libvirt 11.3; the enums are append-only, so older hosts use a
 * prefix of them. A number we do not know becomes `unknown`; nothing is guessed from it.
 */
import type { DomainState } from '../model/domain.ts';

const STATES: readonly DomainState[] = [
  'no_state',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shut_off',
  'crashed',
  'pm_suspended',
];

/** Reasons by state, in the order of virDomain<State>Reason. Index 0 is always "unknown". */
const REASONS: Readonly<Partial<Record<DomainState, readonly string[]>>> = {
  running: [
    'unknown',
    'booted',
    'migrated',
    'restored',
    'from_snapshot',
    'unpaused',
    'migration_canceled',
    'save_canceled',
    'wakeup',
    'crashed',
    'postcopy',
    'postcopy_failed',
  ],
  paused: [
    'unknown',
    'user',
    'migration',
    'save',
    'dump',
    'ioerror',
    'watchdog',
    'from_snapshot',
    'shutting_down',
    'snapshot',
    'crashed',
    'starting_up',
    'postcopy',
    'postcopy_failed',
    'api_error',
  ],
  shutdown: ['unknown', 'user'],
  shut_off: [
    'unknown',
    'shutdown',
    'destroyed',
    'crashed',
    'migrated',
    'saved',
    'failed',
    'from_snapshot',
    'daemon',
  ],
  crashed: ['unknown', 'panicked'],
};

/** Lifecycle events: name and its details, by virDomainEventType. */
const LIFECYCLE: readonly (readonly [name: string, details: readonly string[]])[] = [
  ['defined', ['added', 'updated', 'renamed', 'from_snapshot']],
  ['undefined', ['removed', 'renamed']],
  ['started', ['booted', 'migrated', 'restored', 'from_snapshot', 'wakeup', 'recovered']],
  [
    'suspended',
    [
      'paused',
      'migrated',
      'ioerror',
      'watchdog',
      'restored',
      'from_snapshot',
      'api_error',
      'postcopy',
      'postcopy_failed',
      'guest_shutdown',
    ],
  ],
  ['resumed', ['unpaused', 'migrated', 'from_snapshot', 'postcopy', 'postcopy_failed']],
  [
    'stopped',
    ['shutdown', 'destroyed', 'crashed', 'migrated', 'saved', 'failed', 'from_snapshot', 'recreated'],
  ],
  ['shutdown', ['finished', 'guest', 'host']],
  ['pm_suspended', ['memory', 'disk']],
  ['crashed', ['panicked', 'crashloaded']],
];

/**
 * State and reason by name. An unknown state number is `no_state`, which no rule takes for running or stopped
 * by mistake.
 */
export function stateNames(state: number, reason: number): { state: DomainState; stateReason: string } {
  const name = STATES[state] ?? 'no_state';
  return { state: name, stateReason: REASONS[name]?.[reason] ?? 'unknown' };
}

/** Name and detail of a lifecycle event. */
export function lifecycleNames(event: number, detail: number): { name: string; detail: string } {
  const row = LIFECYCLE[event];
  return { name: row?.[0] ?? 'unknown', detail: row?.[1][detail] ?? 'unknown' };
}
