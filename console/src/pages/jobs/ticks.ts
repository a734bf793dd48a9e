/** Round values for axes, and the unit for amounts of memory. Pure. */

const ROUND_MS = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
  1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** From 0, at most `count` steps up to `maxMs`. */
export function timeTicks(maxMs: number, count: number): readonly number[] {
  const stepMs = ROUND_MS.find((each) => maxMs / each <= count) ?? maxMs / count;
  return ticks(maxMs, stepMs);
}

/** From 0 in round steps, at most `count` of them, the last at or above `max`. */
export function valueTicks(max: number, count: number): readonly number[] {
  if (max <= 0) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(max / count));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => max / each <= count) ?? max / count;
  return ticks(Math.ceil(max / step - 1e-9) * step, step);
}

const ticks = (max: number, step: number): readonly number[] =>
  Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_unused, index) => index * step);

/** A unit of memory. */
export interface ByteUnit {
  readonly name: string;
  readonly bytes: number;
}

const UNITS: readonly ByteUnit[] = [
  { name: 'KiB', bytes: 1024 },
  { name: 'MiB', bytes: 1024 ** 2 },
  { name: 'GiB', bytes: 1024 ** 3 },
  { name: 'TiB', bytes: 1024 ** 4 },
];
const [SMALLEST] = UNITS as readonly [ByteUnit];

/** The unit in which the largest amount is read best. */
export const byteUnit = (bytesMax: number): ByteUnit =>
  UNITS.findLast((unit) => bytesMax >= unit.bytes) ?? SMALLEST;

/** `0`, `3.9`, `880`. */
export const valueText = (value: number): string =>
  value === 0 ? '0' : value < 10 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value));
