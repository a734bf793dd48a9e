/** What the commands print: tables for people, JSON for programs. Nothing else writes to stdout. */

/** How a command answers: as JSON, or as text for a person. */
export type OutputFormat = 'text' | 'json';

/** Prints a line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a value as JSON. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Lines of a table: headings in capitals, columns as wide as their widest cell, two blanks between. */
export function tableLines(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings.map((heading) => heading.toUpperCase()), ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints things as a table, or as a JSON array; `none` says what it means if there are none. */
export function printList<T>(
  format: OutputFormat,
  things: readonly T[],
  headings: readonly string[],
  row: (thing: T) => readonly string[],
  none: string,
): void {
  if (format === 'json') printJson(things);
  else if (things.length === 0) print(none);
  else for (const line of tableLines(headings, things.map(row))) print(line);
}

/**
 * Prints one thing as aligned `name: value` lines, or as a JSON object. Null and empty values are left out of
 * the text.
 */
export function printOne<T>(
  format: OutputFormat,
  thing: T,
  lines: readonly (readonly [string, string | null])[],
): void {
  if (format === 'json') {
    printJson(thing);
    return;
  }
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== null && line[1] !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 1;
  for (const [name, value] of shown) print(`${`${name}:`.padEnd(width)} ${value}`);
}

/** KiB as a short figure: `512 MiB`, `16 GiB`. */
export function sizeOf(kiB: number | null): string {
  if (kiB === null) return '-';
  const miB = kiB / 1024;
  return miB < 1024 ? `${Math.round(miB)} MiB` : `${Number((miB / 1024).toFixed(1))} GiB`;
}

/** ISO 8601 as people read it: `2026-11-25 14:50:42Z`. */
export const timeOf = (iso: string | null): string =>
  iso === null ? '-' : `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;

/** A flag for a table. */
export const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
