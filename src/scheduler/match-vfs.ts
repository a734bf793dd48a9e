/**
 * One VF for every vNIC at once: a maximum matching, not first-fit, so that an unlucky order can never turn a
 * possible move into a refusal (oVirt's scheduler is greedy there). Pure and deterministic.
 */

/**
 * `candidates[i]` lists the keys vNIC i may get, best first. Returns for each vNIC its pick, or null where
 * none was left.
 */
export function matchAll<Key extends string>(candidates: readonly (readonly Key[])[]): (Key | null)[] {
  const owner = new Map<Key, number>();
  for (let vnic = 0; vnic < candidates.length; vnic++) augment(vnic, candidates, owner, new Set());
  const picks: (Key | null)[] = candidates.map(() => null);
  for (const [pick, vnic] of owner) picks[vnic] = pick;
  return picks;
}

/** Kuhn's augmenting path: takes a free pick, or moves the owner of a taken one elsewhere. */
function augment<Key extends string>(
  vnic: number,
  candidates: readonly (readonly Key[])[],
  owner: Map<Key, number>,
  tried: Set<Key>,
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
