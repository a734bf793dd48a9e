/**
 * Merges what one look at a host saw of a VM's vNICs into what is known of them. Pure; the rules are the
 * whole point:
 *
 * - The same vNIC is found by its user alias, else by MAC and kind. Kind matters: the two halves of a bond
 *   may share a MAC.
 * - Known: id, name, profile (unless the look names one), and `plugged` and `kept`, which are wishes and not
 *   to be seen on a host.
 * - `actual` and `vf` belong to a live job or a pending unplug while there is one; a look from outside may be
 *   older.
 * - `degraded` says "attached, but seen not to work", so seeing it attached to the same VF does not end it.
 * - A vNIC not seen any more stays, `unplugged`, while it is desired or kept; otherwise it is gone.
 */
import { isUserAlias } from '../model/domain.ts';
import type { Vnic } from '../model/vm.ts';

/**
 * The vNICs of one VM after the look. `jobOwnsActual`: a live job moves the VM now. Order: known ones first,
 * then new ones.
 */
export function mergeVnics(
  known: readonly Vnic[],
  observed: readonly Vnic[],
  jobOwnsActual: boolean,
): Vnic[] {
  const pairs = matchVnics(known, observed);
  const merged = known.flatMap((vnic) => {
    const seen = pairs.get(vnic);
    if (seen) return [mergeSeen(vnic, seen, jobOwnsActual)];
    if (jobOwnsActual || vnic.actual === 'unplug_pending') return [vnic];
    return vnic.plugged || vnic.kept ? [{ ...vnic, actual: 'unplugged' as const, vf: null }] : [];
  });
  const matched = new Set(pairs.values());
  const namesTaken = new Set(merged.map((vnic) => vnic.name));
  for (const vnic of observed) {
    if (matched.has(vnic)) continue;
    const name = freeName(vnic.name, namesTaken);
    namesTaken.add(name);
    merged.push({ ...vnic, name });
  }
  return merged;
}

/** The vNICs of a VM that is down: it has no guest that could still give something back. */
export function withoutPending(vnics: readonly Vnic[]): Vnic[] {
  return vnics.map((vnic) =>
    vnic.actual === 'unplug_pending' ? { ...vnic, actual: 'unplugged' as const, vf: null } : vnic,
  );
}

/**
 * Pairs each known vNIC with at most one observed one: all user aliases first, so that a shared MAC cannot
 * take their partner.
 */
function matchVnics(known: readonly Vnic[], observed: readonly Vnic[]): Map<Vnic, Vnic> {
  const pairs = new Map<Vnic, Vnic>();
  const unmatched = new Set(observed);
  const pairBy = (same: (known: Vnic, observed: Vnic) => boolean) => {
    for (const vnic of known) {
      if (pairs.has(vnic)) continue;
      const partner = [...unmatched].find((candidate) => same(vnic, candidate));
      if (!partner) continue;
      pairs.set(vnic, partner);
      unmatched.delete(partner);
    }
  };
  pairBy((a, b) => isUserAlias(b.alias) && a.alias === b.alias);
  pairBy((a, b) => a.mac === b.mac && a.passthrough === b.passthrough);
  return pairs;
}

function mergeSeen(known: Vnic, seen: Vnic, jobOwnsActual: boolean): Vnic {
  const keepsActual =
    jobOwnsActual ||
    known.actual === 'unplug_pending' ||
    (known.actual === 'degraded' && seen.actual === 'plugged' && seen.vf === known.vf);
  return {
    ...seen,
    id: known.id,
    vmId: known.vmId,
    name: known.name,
    // A definition has none of libvirt's own: what the running VM was last seen with stays.
    alias: seen.alias ?? known.alias,
    profileId: seen.profileId ?? known.profileId,
    plugged: known.plugged,
    kept: known.kept,
    unpluggedXml: known.unpluggedXml,
    actual: keepsActual ? known.actual : seen.actual,
    vf: keepsActual ? known.vf : seen.vf,
  };
}

/** `wanted`, or the first free of nic1, nic2... */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  for (let number = 1; ; number += 1) {
    if (!taken.has(`nic${number}`)) return `nic${number}`;
  }
}
