/**
 * Verify: traffic seen on the VF. "Attach returned 0" and even "the bond is active" prove nothing: an
 * announcement was once lost for 24 s with link and bond up. So bonds are told to use their VF where they do
 * not by themselves, and announce it; then it is watched. Verified: the VF's interface in the guest
 * received packets between two looks. Degraded: the guest shows no VF with the vNIC's MAC. Unverified:
 * anything else, and the message says why and, where there is something, what to do about it.
 */
import { isCode } from '../../base/errors.ts';
import type { Mac, VnicId } from '../../base/ids.ts';
import type { GuestVf, Hypervisor } from '../../hypervisor/port.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import { vnicAlert } from '../alerts.ts';
import { runGuestHooks } from '../guest-hooks.ts';
import { returnToVfs } from '../legs.ts';
import type { MigrationContext } from '../port.ts';
import { networkGapOf, wholeGap } from '../network-gap.ts';
import { saveVnics, vnicsOf } from '../vnics.ts';

/** A guest driver and its bond need a few seconds; five times the slowest seen in the lab. */
const VERIFY_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 1_000;
/** A guest that finds its VF and goes back to it needs its CPU for that, and takes as long at least. */
const SETTLE_MS = 2_000;

/** null: no guest agent answers. One that did before the move may need some seconds to be back. */
type Look = ReadonlyMap<Mac, GuestVf> | null;

export const verify = defineStep<MigrationContext, null>({
  name: 'verify',
  kind: 'forward',
  // The guest is asked nothing until it has had time.
  inspect: async () => null,

  async run(context) {
    const plugged = pluggedOf(context);
    const { hypervisor } = await context.target();
    if (plugged.length === 0) {
      const said = await announceStandbys(context, hypervisor);
      await saveGaps(context);
      await context.save({ returnedAt: null });
      return skipped(['no VF to verify', ...(said === '' ? [] : [said])].join('; '));
    }
    if (context.data.hadAgent !== false) await context.clock.sleep(SETTLE_MS, context.steadySignal);
    const [returned, { verified, last }] = await Promise.all([
      returnToVfs(context, hypervisor),
      watchTraffic(context, plugged),
    ]);
    await saveGaps(context);
    await context.save({ returnedAt: returned.at });
    const hooks = await runGuestHooks(context, hypervisor, 'after-plug');
    const said: string[] = [];
    for (const vnic of plugged) {
      const doubt = verified.has(vnic.vnicId) ? null : doubtOf(last, vnic);
      if (doubt === 'degraded') await degrade(context, vnic);
      said.push(`${vnic.name} ${doubt ?? 'verified'}`);
    }
    return finished([...said, ...(returned.said === '' ? [] : [returned.said]), ...hooks].join('; '));
  },
});

/** Of a VM that is not there any more nothing can be announced: no reason to try for ever. */
async function announceStandbys(context: MigrationContext, hypervisor: Hypervisor): Promise<string> {
  try {
    return (await returnToVfs(context, hypervisor)).said;
  } catch (thrown) {
    if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
    return '';
  }
}

/** What was measured; nothing if this process has not watched from the beginning. */
async function saveGaps(context: MigrationContext): Promise<void> {
  const watch = context.runtime.traffic;
  context.runtime.traffic = null;
  if (watch === null) return;
  const { unplugAskedAt, transferStartedAt = 0 } = context.data;
  const records = await watch.stop(unplugAskedAt ?? transferStartedAt);
  const networkGaps = records.map((record) => networkGapOf(record, context.data));
  await context.save({ networkGaps, networkGapMs: wholeGap(networkGaps) });
}

const pluggedOf = (context: MigrationContext): MovingVnic[] =>
  vnicsOf(context).filter((vnic) => vnic.state === 'plugged');

async function lookAtGuest(context: MigrationContext): Promise<Look> {
  const { hypervisor } = await context.target();
  return hypervisor.guestVfs(
    context.vmId,
    pluggedOf(context).map((vnic) => vnic.mac),
  );
}

/** Looks until nothing more is to be learned of any vNIC, or the time is over. */
async function watchTraffic(
  context: MigrationContext,
  vnics: readonly MovingVnic[],
): Promise<{ verified: ReadonlySet<VnicId>; last: Look }> {
  const verified = new Set<VnicId>();
  const endMs = context.clock.monotonicMs() + VERIFY_LIMIT_MS;
  let before: Look = null;
  for (;;) {
    const now = await lookAtGuest(context);
    const open = vnics.filter(({ vnicId, mac }) => {
      const [was, is] = [before?.get(mac), now?.get(mac)];
      if (rose(was, is)) verified.add(vnicId);
      // Twice, since an interface that is just being renamed cannot be read either.
      const untold = was?.rxPackets === null && is?.rxPackets === null;
      return !verified.has(vnicId) && !untold;
    });
    const noAgent = now === null && context.data.hadAgent === false;
    if (open.length === 0 || noAgent || context.clock.monotonicMs() >= endMs) return { verified, last: now };
    before = now ?? before;
    await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
  }
}

function rose(was: GuestVf | undefined, is: GuestVf | undefined): boolean {
  if (!was || !is || was.rxPackets === null || is.rxPackets === null) return false;
  return was.names[0] === is.names[0] && is.rxPackets > was.rxPackets;
}

/** Why a vNIC is not verified. */
function doubtOf(last: Look, vnic: MovingVnic): string {
  if (last === null) return 'unverified: no guest agent answers';
  const vf = last.get(vnic.mac);
  if (!vf) return 'degraded';
  const names = vf.names.join(' or ');
  if (vf.rxPackets !== null)
    return `unverified: nothing was received on ${names} in ${VERIFY_LIMIT_MS / 1000} s`;
  const untold = vf.names.length > 1 ? `whether ${names} is the VF` : `the counters of ${names}`;
  return (
    `unverified: the guest agent does not tell ${untold} (guest-file commands refused: allow ` +
    `guest-file-open, guest-file-read, guest-file-close in the guest agent's configuration)`
  );
}

async function degrade(context: MigrationContext, vnic: MovingVnic): Promise<void> {
  const message =
    `vNIC ${vnic.name} of ${context.vmName} is plugged but the guest shows no VF with the MAC ` +
    `${vnic.mac}; check the VF driver in the guest`;
  await saveVnics(context, new Map([[vnic.vnicId, { state: 'degraded' as const }]]));
  await context.ports.setVnicActual(vnic.vnicId, 'degraded', vnic.targetVf);
  await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
}
