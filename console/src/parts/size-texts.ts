/** Amounts of memory in words. Pure. */

const KIB_PER_MIB = 1_024;
const KIB_PER_GIB = 1_024 * KIB_PER_MIB;

/** `512 MiB`, `3.8 GiB`, `128 GiB`. */
export function memoryText(kib: number): string {
  if (kib < KIB_PER_GIB) return `${Math.round(kib / KIB_PER_MIB)} MiB`;
  const gib = kib / KIB_PER_GIB;
  return `${gib < 10 ? gib.toFixed(1).replace(/\.0$/, '') : Math.round(gib)} GiB`;
}
