/**
 * Ids for things oVirt addresses by UUID but Handover does not number: host nics (a PCI function or a netdev
 * of one host), steps of a job, users. Derived, so every replica and every restart gives the same one.
 * Nothing is stored.
 */
import { createHash } from 'node:crypto';

/** A UUID (version 8, RFC 9562) that depends on `parts` alone. */
export function stableId(...parts: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(parts.join('\u0000')).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/**
 * The one data center and the one cluster, both named `Default`. oVirt gives its own `Default` cluster an id
 * of this form.
 */
export const DATA_CENTER_ID = stableId('data_center', 'Default');
export const CLUSTER_ID = stableId('cluster', 'Default');
export const BLANK_TEMPLATE_ID = '00000000-0000-0000-0000-000000000000';
