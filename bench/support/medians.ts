/** Medians and worst of figures of which some are missing. Pure. Callers: benches. */

/** Of a list of figures; null = none was known. */
export interface Spread {
  readonly median: number | null;
  readonly worst: number | null;
}

/** Median and largest of those that are known. */
export function spreadOf(figures: readonly (number | null)[]): Spread {
  const known = figures.filter((figure) => figure !== null).sort((one, other) => one - other);
  const middle = known.length / 2;
  const [low, high] = [known[Math.ceil(middle) - 1], known[Math.floor(middle)]];
  if (low === undefined || high === undefined) return { median: null, worst: null };
  return { median: Math.round((low + high) / 2), worst: Math.round(known.at(-1) ?? high) };
}
