/**
 * What counts as one place that requests come from: an IPv4 address, or the network of an IPv6 address, since
 * whoever has one of those has as many as they like. Pure.
 */
import { isIPv6 } from 'node:net';

/** Groups of an IPv6 address that name its network (/64). */
const NETWORK_GROUPS = 4;

/** The place of a peer's address; the socket of a file has none and is one place. */
export function placeOf(address: string | undefined): string {
  if (address === undefined || address === '') return 'local';
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const missing = after === undefined ? 0 : 8 - groups(before).length - groups(after).length;
  const all = [...groups(before), ...Array<string>(Math.max(0, missing)).fill('0'), ...groups(after)];
  const network = all.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
