/**
 * Settle: whether everything is as it was before the drill. What is not fails the job; it has an alert of its
 * own where somebody still has to do something.
 */
import { HandoverError } from '../../base/errors.ts';
import { type Domain, isActive } from '../../model/domain.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { delaysLeft } from '../legs.ts';
import type { MigrationContext } from '../port.ts';
import { vnicsOf } from '../vnics.ts';

export const settle = defineStep<MigrationContext, Domain | null>({
  name: 'settle',
  kind: 'forward',
  inspect: (context) => context.source.inspect(context.vmId),

  async run(context, domain) {
    const wrong = whatIsWrong(context, domain);
    if (wrong.length === 0) return finished('everything is as it was');
    return { state: 'failed', error: new HandoverError('DRILL_FAILED', wrong.join('; ')) };
  },
});

function whatIsWrong(context: MigrationContext, domain: Domain | null): string[] {
  const { vmName, sourceHost, data } = context;
  if (!domain || !isActive(domain)) return [`${vmName} stopped running on ${sourceHost.name} meanwhile`];
  const vnics = vnicsOf(context).flatMap((vnic) => wrongWith(vnic) ?? []);
  const wrong = [...vnics, ...delaysLeft(data, vmName)];
  const { pairs = [], returnedAt } = data;
  if (wrong.length > 0 || pairs.length === 0 || returnedAt != null) return wrong;
  const bonds = pairs.map(({ bond }) => bond).join(', ');
  return [
    `the traffic of ${bonds} did not return to its VF; look at the bond in the guest: cat /proc/net/bonding`,
  ];
}

function wrongWith({ name, mac, state, sourceVf, targetVf }: MovingVnic): string | null {
  if (state === 'unplugged') return `vNIC ${name} is not plugged again; the alert of it says why`;
  if (state === 'degraded')
    return `vNIC ${name} is plugged again, but the guest shows no VF with the MAC ${mac}; check its driver`;
  if (targetVf !== sourceVf)
    return `vNIC ${name} could not be plugged on ${sourceVf} again, and is on ${targetVf}`;
  return null;
}
