/**
 * Verify: traffic seen on the VF. "Attach returned 0" and even "the bond is active" prove nothing: an
 * announcement was once lost for 24 s with link and bond up. Verified: packets received through the VF in the
 * guest. Unverified: nobody can look, or nothing was received in the time given (an idle network looks the
 * same). Degraded: the guest has no interface with the vNIC's MAC.
 */
import type { GuestInterface } from '../../hypervisor/port.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';
import { saveVnics, vnicAlert, vnicsOf } from '../vnics.ts';

/** A guest driver and its bond need a few seconds; five times the slowest seen in the lab. */
const VERIFY_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 1_000;

type Verdict = 'verified' | 'unverified' | 'degraded';

export const verify = defineStep<MigrationContext, readonly GuestInterface[] | null>({
  name: 'verify',
  kind: 'forward',

  async inspect(context) {
    if (vnicsOf(context).length === 0) return null;
    return (await context.target()).hypervisor.guestInterfaces(context.vmId);
  },

  async run(context, first) {
    const plugged = vnicsOf(context).filter((vnic) => vnic.state === 'plugged');
    if (plugged.length === 0) return skipped('no VF to verify');
    const verdicts = await watchTraffic(context, plugged, first);
    if (verdicts === null) return finished('unverified: the guest has no agent that answers');
    const said: string[] = [];
    for (const vnic of plugged) {
      const verdict = verdicts.get(vnic.vnicId) ?? 'unverified';
      said.push(
        `${vnic.name} ${verdict}` +
          (verdict === 'unverified' ? `: nothing was received in ${VERIFY_LIMIT_MS / 1000} s` : ''),
      );
      if (verdict === 'degraded') await degrade(context, vnic);
    }
    return finished(said.join('; '));
  },
});

/** null: the agent never answered. It may need some seconds to be back after the move. */
async function watchTraffic(
  context: MigrationContext,
  vnics: readonly MovingVnic[],
  first: readonly GuestInterface[] | null,
): Promise<Map<string, Verdict> | null> {
  const { hypervisor } = await context.target();
  const base = new Map<string, number>();
  const verdicts = new Map<string, Verdict>();
  const endMs = context.clock.monotonicMs() + VERIFY_LIMIT_MS;
  for (let now = first; ; now = await hypervisor.guestInterfaces(context.vmId)) {
    for (const vnic of now === null ? [] : vnics) {
      if (verdicts.get(vnic.vnicId) === 'verified') continue;
      const before = base.get(vnic.vnicId);
      const after = received(now ?? [], vnic);
      if (after === null) verdicts.set(vnic.vnicId, 'degraded');
      else {
        verdicts.set(vnic.vnicId, before !== undefined && after > before ? 'verified' : 'unverified');
        if (before === undefined) base.set(vnic.vnicId, after);
      }
    }
    const open = vnics.some((vnic) => verdicts.get(vnic.vnicId) !== 'verified');
    if (!open || context.clock.monotonicMs() >= endMs) return verdicts.size === 0 ? null : verdicts;
    await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
  }
}

/**
 * Packets received by the guest's interface with the vNIC's MAC that is not the standby; null = no such
 * interface.
 */
function received(interfaces: readonly GuestInterface[], vnic: MovingVnic): number | null {
  const found = interfaces.filter((each) => each.mac === vnic.mac && !each.name.startsWith('bond'));
  return found.length === 0 ? null : Math.max(...found.map((each) => each.rxPackets ?? 0));
}

async function degrade(context: MigrationContext, vnic: MovingVnic): Promise<void> {
  const message =
    `vNIC ${vnic.name} of ${context.vmName} is plugged but the guest shows no ` +
    `interface with the MAC ${vnic.mac}; check the VF driver in the guest`;
  await saveVnics(context, new Map([[vnic.vnicId, { state: 'degraded' as const }]]));
  await context.ports.setVnicActual(vnic.vnicId, 'degraded', vnic.targetVf);
  await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
}
