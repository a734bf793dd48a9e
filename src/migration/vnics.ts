/**
 * Plugging vNICs, shared by the plug step (target) and by the undo of the unplug (source). Looks before it
 * acts, repeats what libvirt's own job still blocks, and takes another VF when the chosen one is gone.
 */
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { HostId, Mac, PciAddress, VnicId } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import { type Domain, type DomainInterface, isActive, isUserAlias } from '../model/domain.ts';
import type { MovingVnic } from '../model/job.ts';
import type { MigrationContext } from './port.ts';

/**
 * libvirt's VIR_ERR_OPERATION_TIMEOUT: "cannot acquire state change lock", the migration job is still open.
 */
const CODE_JOB_STILL_OPEN = 68;
/** How long a plug is repeated for. Five times what a slow nested host took. */
const PLUG_LIMIT_MS = 90_000;
const PLUG_EVERY_MS = 500;
/** Other VFs tried when the reserved one is gone. */
const REPLACEMENTS_MAX = 3;

/**
 * The interface of a vNIC in a domain: the one with its alias if a user gave that, else the VF with its MAC.
 * An alias of libvirt's own (`hostdev0`) says nothing: the next device that is plugged gets it.
 */
export function interfaceOf(
  domain: Pick<Domain, 'interfaces'>,
  vnic: { readonly alias: string | null; readonly mac: Mac },
): DomainInterface | null {
  return (
    domain.interfaces.find((each) => isUserAlias(each.alias) && each.alias === vnic.alias) ??
    domain.interfaces.find((each) => each.mac === vnic.mac && each.vf !== null) ??
    null
  );
}

/** Where a vNIC was plugged. */
export interface Plugged {
  readonly vf: PciAddress;
  readonly pf: string;
  readonly guestAddress: PciAddress | null;
  /** Another VF or another guest address than wanted: what, for the event. */
  readonly note: string | null;
}

/** Where a vNIC is to be plugged: on the VF that is reserved for it. */
export interface PlugPlace {
  readonly hypervisor: Hypervisor;
  readonly side: 'source' | 'target';
  readonly hostId: HostId;
  readonly vf: PciAddress;
  readonly pf: string;
}

/**
 * Plugs one vNIC on its reserved VF, else on another that fits. Throws the last refusal when no VF could be
 * plugged within the limit.
 */
export async function plugVnic(
  context: MigrationContext,
  { hypervisor, side, hostId, ...reserved }: PlugPlace,
  vnic: MovingVnic,
  seen: Domain | 'just_resumed' | null = null,
): Promise<Plugged> {
  let first = seen;
  let { vf, pf } = reserved;
  const tried: PciAddress[] = [];
  for (;;) {
    try {
      const looked = first;
      first = null;
      return await plugOn(context, hypervisor, vnic, { vf, pf }, looked);
    } catch (thrown) {
      if (!isCode(thrown, 'LIBVIRT_REFUSED', 'VF_TAKEN', 'NOT_FOUND', 'HOST_COMMAND_FAILED')) throw thrown;
      tried.push(vf);
      const domain = await hypervisor.inspect(context.vmId);
      if (!domain || !isActive(domain) || tried.length > REPLACEMENTS_MAX) throw thrown;
      context.log.warn('VF could not be plugged; looking for another', {
        vnic: vnic.name,
        vf,
        error: explain(thrown),
      });
      const other = await context.ports.reserveReplacement(
        { jobId: context.jobId, epoch: context.epoch, vmId: context.vmId },
        hostId,
        side,
        vnic,
        tried,
      );
      if (!other) throw thrown;
      vf = other.vf;
      pf = other.pf;
    }
  }
}

async function plugOn(
  context: MigrationContext,
  hypervisor: Hypervisor,
  vnic: MovingVnic,
  { vf, pf }: { vf: PciAddress; pf: string },
  seen: Domain | 'just_resumed' | null,
): Promise<Plugged> {
  const endMs = context.clock.monotonicMs() + PLUG_LIMIT_MS;
  for (let looked = seen; ; looked = null) {
    try {
      const domain = looked ?? (await hypervisor.inspect(context.vmId));
      // What is shut off names VFs too, those of its definition.
      if (!domain || (domain !== 'just_resumed' && !isActive(domain)))
        throw new HandoverError('NOT_FOUND', `${context.vmName} is gone from ${hypervisor.endpoint.name}`);
      const there = domain === 'just_resumed' ? null : interfaceOf(domain, vnic);
      if (there?.vf) return notedPlug(vnic, there.vf, pf, there.guestAddress, vf);
      const { guestAddress } = await hypervisor.plug(context.vmId, {
        alias: vnic.alias,
        mac: vnic.mac,
        vf,
        managed: vnic.managed,
        vlan: vnic.vlan,
        guestAddress: vnic.guestAddress,
        traitsXml: vnic.traitsXml,
      });
      return notedPlug(vnic, vf, pf, guestAddress, vf);
    } catch (thrown) {
      // The job of the move itself may still be open on this domain, or the answer was lost, or the daemon is
      // being restarted: look again, then repeat.
      const busy = isCode(thrown, 'LIBVIRT_REFUSED') && thrown.detail['libvirtCode'] === CODE_JOB_STILL_OPEN;
      const unknown =
        thrown instanceof HandoverError &&
        (thrown.kind === 'outcome_unknown' || thrown.kind === 'unreachable');
      if ((!busy && !unknown) || context.clock.monotonicMs() >= endMs) throw thrown;
      await context.clock.sleep(PLUG_EVERY_MS, context.steadySignal);
    }
  }
}

function notedPlug(
  vnic: MovingVnic,
  vf: PciAddress,
  pf: string,
  guestAddress: PciAddress | null,
  wanted: PciAddress,
): Plugged {
  const notes: string[] = [];
  const planned: (PciAddress | null)[] = [vnic.sourceVf, vnic.targetVf];
  if (!planned.includes(vf) || vf !== wanted) notes.push(`on another VF than planned (${vf})`);
  if (vnic.guestAddress !== null && guestAddress !== null && guestAddress !== vnic.guestAddress) {
    notes.push(`at guest address ${guestAddress} because ${vnic.guestAddress} was taken`);
  }
  return { vf, pf, guestAddress, note: notes.length > 0 ? notes.join(', ') : null };
}

/** One that leaves a VF of the source. */
export type LeavingVnic = MovingVnic & { readonly sourceVf: PciAddress };

/** All but those that were out before the move and are only plugged on the target. */
export const leavingOf = (context: MigrationContext): readonly LeavingVnic[] =>
  vnicsOf(context).filter((vnic): vnic is LeavingVnic => vnic.sourceVf !== null);

/** The job's vNICs, as last saved. */
export const vnicsOf = (context: MigrationContext): readonly MovingVnic[] => context.data.vnics ?? [];

/** What was done to a vNIC since the job was made for it; null: all are as they were. */
export function changedVnic(context: MigrationContext, domain: Domain): string | null {
  for (const vnic of vnicsOf(context)) {
    const there = interfaceOf(domain, vnic);
    // Plugged anew it may have another of libvirt's aliases, which then is another device's name.
    if ((there?.vf ?? null) === vnic.sourceVf && (there === null || there.alias === vnic.alias)) continue;
    return (
      `vNIC ${vnic.name} was ${vnic.sourceVf ?? 'unplugged'} on ${context.sourceHost.name} and is now ` +
      `${there?.vf ?? 'unplugged'} (${there?.alias ?? 'no alias'}); try again`
    );
  }
  return null;
}

/** Saves changes of some vNICs at once. */
export async function saveVnics(
  context: MigrationContext,
  changes: ReadonlyMap<VnicId, Partial<MovingVnic>>,
): Promise<void> {
  const vnics = vnicsOf(context).map((vnic) => ({ ...vnic, ...(changes.get(vnic.vnicId) ?? {}) }));
  await context.save({ vnics });
}
