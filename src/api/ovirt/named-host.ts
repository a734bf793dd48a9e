/** Hosts that a request names, by id or by name. */
import { HandoverError } from '../../base/errors.ts';
import type { Host } from '../../model/host.ts';
import type { Call } from './route.ts';
import type { Ref } from './wire/fields.ts';

/** The host; null if none is named. Throws `INVALID_INPUT`, naming those there are. */
export async function namedHost(call: Call, host: Ref | null | undefined): Promise<Host | null> {
  if (!host?.id && !host?.name) return null;
  const hosts = await call.look.hosts();
  const found = hosts.find((each) => (host.id ? each.id === host.id : each.name === host.name));
  if (found) return found;
  const known = hosts.map((each) => each.name).join(', ') || 'none';
  throw new HandoverError('INVALID_INPUT', `there is no host ${host.id || host.name}; known hosts: ${known}`);
}
