/**
 * One VF for every vNIC at once: a maximum matching, not first-fit, so that an unlucky order can never turn a possible move
 * into a refusal (oVirt's scheduler is greedy there). Pure and deterministic.
 */

/** `candidates[i]` lists what vNIC i may get, best first. Returns for each vNIC its pick, or null where none was left. */
export function matchAll<T>(candidates: readonly (readonly T[])[]): (T | null)[] {
  const owner = new Map<T, number>();
  for (let vnic = 0; vnic < candidates.length; vnic++) augment(vnic, candidates, owner, new Set());
  const picks: (T | null)[] = candidates.map(() => null);
  for (const [pick, vnic] of owner) picks[vnic] = pick;
  return picks;
}

/** Kuhn's augmenting path: takes a free pick, or moves the owner of a taken one elsewhere. */
function augment<T>(
  vnic: number,
  candidates: readonly (readonly T[])[],
  owner: Map<T, number>,
  tried: Set<T>,
): boolean {
  for (const pick of candidates[vnic] ?? []) {
    if (tried.has(pick)) continue;
    tried.add(pick);
    const holder = owner.get(pick);
    if (holder === undefined || augment(holder, candidates, owner, tried)) {
      owner.set(pick, vnic);
      return true;
    }
  }
  return false;
}
