/**
 * What an engine that died may have left undone of a plug: the vNIC is in the guest and not in the
 * definition, so the next start would lack it. Looked for once by every new owner of a host. Used by the
 * reconciler only.
 */
import { explain, isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { guarded } from '../migration/context.ts';
import { interfaceOf } from '../migration/vnics.ts';
import { isActive } from '../model/domain.ts';
import { answers, type Host } from '../model/host.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import type { HostClaims } from './host-claims.ts';
import { hostById } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { plugOf } from './plug-missing.ts';
import type { HostClaim } from './store-port.ts';

/** A refused one (somebody else changes the domain) is tried again after this. */
const RETRY_MS = 60_000;

/**
 * Only what its user plugged here: what somebody plugged by hand is in the definition or not, as they like.
 */
const isOurs = ({ passthrough, kept, plugged }: Vnic): boolean => passthrough && kept && plugged;

/** Which VMs were mended under which claim. */
export class DefinitionMender {
  readonly #parts: AppParts;
  readonly #claims: HostClaims;
  /** By VM: the host's epoch it was mended under, and when it is due again; infinite: done. */
  readonly #mended = new Map<VmId, { readonly epoch: number; readonly nextAtMs: number }>();

  constructor(parts: AppParts, claims: HostClaims) {
    this.#parts = parts;
    this.#claims = claims;
  }

  /** Of `vms`, none of which a job moves, those that are due. */
  due(claim: HostClaim, vms: readonly Vm[]): Vm[] {
    const nowMs = this.#parts.clock.monotonicMs();
    return vms.filter((vm) => {
      const mended = this.#mended.get(vm.id);
      const isDone = mended?.epoch === claim.epoch && nowMs < mended.nextAtMs;
      return vm.status === 'up' && !isDone && vm.vnics.some(isOurs);
    });
  }

  /** Never throws. */
  async mend(claim: HostClaim, vms: readonly Vm[]): Promise<void> {
    const { clock, log } = this.#parts;
    for (const vm of vms) {
      let nextAtMs = Infinity;
      try {
        const host = await hostById(this.#parts, claim.hostId);
        if (!answers(host)) return;
        await this.#mendOne(claim, host, vm);
      } catch (thrown) {
        log.warn('definition not mended', { vm: vm.name, error: explain(thrown) });
        // The claim or the database is gone: so it is for all the others.
        if (isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) return;
        nextAtMs = clock.monotonicMs() + RETRY_MS;
      }
      this.#mended.set(vm.id, { epoch: claim.epoch, nextAtMs });
    }
  }

  async #mendOne(claim: HostClaim, host: Host, vm: Vm): Promise<void> {
    const assertHeld = () => this.#claims.assertHeld(claim);
    const hypervisor = guarded(this.#parts.hypervisors.host(host), assertHeld);
    const domain = await hypervisor.inspect(vm.id);
    if (!domain?.persistent || !isActive(domain)) return;
    for (const vnic of vm.vnics.filter(isOurs)) {
      // As the guest has it: what is known may be from before the plug.
      const vf = interfaceOf(domain, vnic)?.vf;
      if (vf) await hypervisor.defineVnic(vm.id, plugOf(vnic, vf));
    }
  }
}
