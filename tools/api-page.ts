/**
 * The tables of docs/reference/api-coverage.md, made of the routes: which there are, which roles they are
 * for, how they differ from oVirt's. In the page each stands between `<!-- routes: NAME -->` and
 * `<!-- end -->`; the rest of it is written by hand.
 * Callers: `check-docs.ts`; `npx tsx tools/api-page.ts` writes the tables into the page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeOperations } from '../src/api/native/openapi.ts';
import type { NativeOperation } from '../src/api/native/operation.ts';
import { ovirtRoutes } from '../src/api/ovirt/collections.ts';
import { DIFFERENCES } from '../src/api/ovirt/differences.ts';
import { needsOf, type Route } from '../src/api/ovirt/route.ts';
import { type Permission, ROLES, rolesThatGive } from '../src/model/access.ts';
import { isStarted, ROOT } from './report.ts';

const PAGE = 'docs/reference/api-coverage.md';
const COMMAND = 'npx tsx tools/api-page.ts';
const HOME_OF_DIFFERENCES = 'src/api/ovirt/differences.ts';

/** What the tables are made of. */
export interface ApiFacts {
  readonly routes: readonly Route[];
  /** By path as the page shows it. */
  readonly differences: Readonly<Record<string, string>>;
  readonly native: readonly NativeOperation[];
}

const API: ApiFacts = { routes: ovirtRoutes(() => 0), differences: DIFFERENCES, native: nativeOperations };

/** The tables, by the name that the page gives their place. */
export function apiTables({ routes, differences, native }: ApiFacts): ReadonlyMap<string, string> {
  const resources = grouped(routes, ({ path }) => shown(path));
  const isFull = (path: string) =>
    // Of what is only ever empty there is seldom more to say.
    differences[path] !== undefined ||
    resources.get(path)?.some((route) => route.method !== 'GET' || !route.isEmpty) === true;
  const verbsAt = (path: string) =>
    verbs((resources.get(path) ?? []).map((route) => ({ method: route.method, needs: needsOf(route) })));
  // What belongs together stands together, wherever its routes are written.
  const collections = grouped([...resources.keys()].filter(isFull), (path) => path.split('/')[1] ?? '');
  const full = [...collections.values()].flatMap((paths) => paths.sort());
  const empty = [...resources.keys()].filter((path) => !isFull(path)).sort();
  const below = grouped(empty, (path) => path.slice(0, path.lastIndexOf('/')) || '/');
  const namesOf = (paths: readonly string[]) =>
    paths.map((path) => `\`${path.slice(path.lastIndexOf('/') + 1)}\``).join(' ');
  return new Map([
    [
      'ovirt',
      table(
        ['path', 'verbs: roles', 'differences from oVirt, extensions'],
        full.map((path) => [`\`${path}\``, verbsAt(path), differences[path] ?? '']),
      ),
    ],
    [
      'empty',
      table(
        ['below', 'always empty'],
        [...below].map(([parent, paths]) => [`\`${parent}\``, namesOf(paths)]),
      ),
    ],
    [
      'native',
      table(
        ['path', 'verbs: roles', 'what it does'],
        native.map((operation) => [`\`${shown(operation.path)}\``, verbs([operation]), told(operation)]),
      ),
    ],
  ]);
}

/** Differences of paths that no route has. */
export function strayDifferences({ routes, differences }: ApiFacts): string[] {
  const known = new Set(routes.map(({ path }) => shown(path)));
  return Object.keys(differences)
    .filter((path) => !known.has(path))
    .map((path) => `${HOME_OF_DIFFERENCES}: no route has the path ${path}`);
}

/**
 * The page's text with the tables at their places. A table without a place, or a place without a table, is a
 * problem.
 */
export function withTables(
  page: string,
  tables: ReadonlyMap<string, string>,
): { readonly text: string; readonly problems: readonly string[] } {
  const placed = new Set<string>();
  const problems: string[] = [];
  const text = page.replace(
    /(<!-- routes: ([\w-]+)[^>]*-->\n)[^]*?(<!-- end -->)/g,
    (all, begin: string, name: string, end: string) => {
      placed.add(name);
      const made = tables.get(name);
      if (made === undefined) problems.push(`${PAGE}: there is no table ${name}`);
      return made === undefined ? all : `${begin}\n${made}\n\n${end}`;
    },
  );
  const homeless = [...tables.keys()].filter((name) => !placed.has(name));
  problems.push(
    ...homeless.map((name) => `${PAGE}: has no "<!-- routes: ${name} -->" with an "<!-- end -->"`),
  );
  return { text, problems };
}

/** What is wrong with the page of the checkout at `root`. */
export function apiPageProblems(root: string): string[] {
  const page = readFileSync(join(root, PAGE), 'utf8');
  const { text, problems } = withTables(page, apiTables(API));
  const stale = text === page ? [] : [`${PAGE}: is not what the routes make of it; run ${COMMAND}`];
  return [...strayDifferences(API), ...problems, ...stale];
}

const shown = (path: string): string => `/${path.replace(/:\w+/g, 'ID')}`;

const VERBS = ['GET', 'POST', 'PUT', 'DELETE'];

/** `GET: any; POST, PUT: SuperUser`. */
function verbs(all: readonly { readonly method: string; readonly needs: Permission | null }[]): string {
  const inOrder = all.toSorted((a, b) => VERBS.indexOf(a.method) - VERBS.indexOf(b.method));
  return [...grouped(inOrder, ({ needs }) => rolesFor(needs))]
    .map(([roles, same]) => `${same.map(({ method }) => method).join(', ')}: ${roles}`)
    .join('; ');
}

function rolesFor(needs: Permission | null): string {
  if (needs === null) return 'no sign-on';
  const roles = rolesThatGive(needs);
  return roles.length === ROLES.length ? 'any' : roles.join(', ');
}

function told({ summary, description, query = {} }: NativeOperation): string {
  const names = Object.keys(query).map((name) => `\`${name}\``);
  const inQuery = names.length === 0 ? undefined : `In the query: ${names.join(', ')}.`;
  return [`${summary}.`, description, inQuery].filter((each) => each !== undefined).join(' ');
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`.replace(/ {2,}\|/g, ' |');
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

if (isStarted(import.meta.filename)) {
  const path = join(ROOT, PAGE);
  const { text } = withTables(readFileSync(path, 'utf8'), apiTables(API));
  writeFileSync(path, text);
  const problems = apiPageProblems(ROOT);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}
