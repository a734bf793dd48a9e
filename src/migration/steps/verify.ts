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
    if (first === null) return finished('unverified: the guest has no agent that answers');
    const verdicts = await watchTraffic(context, plugged, first);
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

async function watchTraffic(
  context: MigrationContext,
  vnics: readonly MovingVnic[],
  first: readonly GuestInterface[],
): Promise<Map<string, Verdict>> {
  const { hypervisor } = await context.target();
  const base = new Map(vnics.map((vnic) => [vnic.vnicId, received(first, vnic)]));
  const verdicts = new Map<string, Verdict>();
  const endMs = context.clock.monotonicMs() + VERIFY_LIMIT_MS;
  for (;;) {
    const now = await hypervisor.guestInterfaces(context.vmId);
    for (const vnic of vnics) {
      if (verdicts.get(vnic.vnicId) === 'verified') continue;
      const before = base.get(vnic.vnicId) ?? null;
      const after = now === null ? null : received(now, vnic);
      if (now !== null && after === null) verdicts.set(vnic.vnicId, 'degraded');
      else if (after !== null && before === null) base.set(vnic.vnicId, after);
      if (after !== null)
        verdicts.set(vnic.vnicId, before !== null && after > before ? 'verified' : 'unverified');
    }
    const open = vnics.some((vnic) => verdicts.get(vnic.vnicId) !== 'verified');
    if (!open || context.clock.monotonicMs() >= endMs) return verdicts;
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
