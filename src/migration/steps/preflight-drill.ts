/**
 * Preflight, of a drill: whether the VM is as the job was made for it, and its traffic has somewhere to go.
 * Without a standby a drill would cut the network on purpose; where nobody can tell, it finds out. The
 * traffic is watched from here on.
 */
import { HandoverError } from '../../base/errors.ts';
import { type Domain, isActive } from '../../model/domain.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import type { MigrationContext, Standby } from '../port.ts';
import { changedVnic } from '../vnics.ts';
import { beginWatching, watchBefore } from '../watch-traffic.ts';

interface Seen {
  readonly domain: Domain | null;
  readonly standby: Standby;
}

export const preflightDrill = defineStep<MigrationContext, Seen | null>({
  name: 'preflight',
  kind: 'reversible',

  async inspect(context) {
    // After a crash further down, the checks have passed once and the VFs may be out.
    if (context.data.unplugAskedAt !== undefined) return null;
    const standby = await context.ports.standbyOf(context.vmId);
    return { domain: await context.source.inspect(context.vmId), standby };
  },

  async run(context, seen) {
    if (seen === null) return finished('checked before');
    const { domain, standby } = seen;
    const { vmName, sourceHost } = context;
    if (!domain || !isActive(domain)) throw refused(`${vmName} no longer runs on ${sourceHost.name}`);
    if (domain.state !== 'running')
      throw refused(
        `${vmName} is ${domain.state} on ${sourceHost.name}; only a running guest gives a VF back`,
      );
    const changed = changedVnic(context, domain);
    if (changed !== null) throw refused(changed);
    if (standby.missing.length > 0) throw refused(standby.missing.join('; '));
    await context.save({
      hadAgent: domain.agentConnected,
      pairs: standby.pairs,
      standbyDoubt: standby.doubt,
    });
    await beginWatching(context, standby.pairs);
    await watchBefore(context);
    return finished(standby.doubt ?? 'a standby carries the traffic');
  },
});

const refused = (message: string): HandoverError => new HandoverError('DRILL_REFUSED', message);
