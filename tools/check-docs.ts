/**
 * Documentation that can be checked: links and paths exist, commands exist, the table of errors is the
 * code's. Callers: `check.ts`; `npx tsx tools/check-docs.ts` alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ERROR_CODES } from '../src/base/errors.ts';
import { isStarted, report, ROOT } from './report.ts';
import { lineOf, listFiles } from './source-file.ts';

/** Folders whose files are named in texts; a name that begins so must exist. */
const ROOT_NAMES = /^(\.ci|bench|bin|console|docs|guest|lab|src|test|tools)\//;
const ERRORS_PAGE = 'docs/reference/errors.md';

/** A page and its text. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** Relative links that lead nowhere. `exists` gets paths from the repository's root. */
export function brokenLinks(page: Page, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  for (const match of page.text.matchAll(/\]\(([^)\s]+)\)/g)) {
    const target = (match[1] ?? '').replace(/#.*$/, '');
    if (target === '' || /^[a-z]+:/.test(target)) continue;
    const path = posix.normalize(posix.join(posix.dirname(page.path), target));
    if (!exists(path)) problems.push(`${place(page, match.index)}: the link to ${target} leads nowhere`);
  }
  return problems;
}

/**
 * Paths in backticks that are not there. A path with a capital or a star is a pattern; its fixed part must
 * exist.
 */
export function missingPaths(page: Page, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  for (const match of page.text.matchAll(/`([^`\s]+)`/g)) {
    const name = match[1] ?? '';
    if (!ROOT_NAMES.test(name)) continue;
    const fixed = name.replace(/[^/]*(\*|[A-Z]{2,}).*$/, '').replace(/\/$/, '');
    if (!exists(fixed)) problems.push(`${place(page, match.index)}: there is no ${fixed}`);
  }
  return problems;
}

/** `npm run NAME` of scripts that package.json does not have. */
export function missingScripts(page: Page, scripts: readonly string[]): string[] {
  const problems: string[] = [];
  for (const match of page.text.matchAll(/\bnpm run ([a-z-]+)/g)) {
    const name = match[1] ?? '';
    if (!scripts.includes(name))
      problems.push(`${place(page, match.index)}: package.json has no script ${name}`);
  }
  return problems;
}

/** Differences between the code's table of errors and the page's: rows of `| CODE | kind | retry | ...`. */
export function errorTableProblems(page: Page): string[] {
  const rows = new Map<string, string>();
  for (const [, code = '', kind = '', retry = ''] of page.text.matchAll(
    /^\| *`?([A-Z][A-Z_]+)`? *\| *(\w+) *\| *(\w+) *\|/gm,
  )) {
    rows.set(code, `${kind} ${retry}`);
  }
  const problems: string[] = [];
  for (const [code, { kind, retry }] of Object.entries(ERROR_CODES)) {
    const said = rows.get(code);
    if (said === undefined) problems.push(`${page.path}: ${code} (${kind}, ${retry}) is missing`);
    else if (said !== `${kind} ${retry}`)
      problems.push(
        `${page.path}: ${code} is ${kind}, ${retry} in src/base/errors.ts; the page says ${said}`,
      );
    rows.delete(code);
  }
  for (const code of rows.keys()) problems.push(`${page.path}: ${code} is not in src/base/errors.ts`);
  return problems;
}

/** Checks all pages of the checkout at `root`. */
export function checkDocs(root: string): string[] {
  const exists = (path: string): boolean => existsSync(join(root, path));
  const scripts = scriptNames(root);
  const pages = listFiles(root, ['.md']).map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
  const errorsPage = pages.find((page) => page.path === ERRORS_PAGE) ?? { path: ERRORS_PAGE, text: '' };
  return [
    ...pages.flatMap((page) => [
      ...brokenLinks(page, exists),
      ...missingPaths(page, exists),
      ...missingScripts(page, scripts),
    ]),
    ...errorTableProblems(errorsPage),
  ];
}

function scriptNames(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  return Object.keys(manifest.scripts);
}

function place(page: Page, offset: number): string {
  return `${page.path}:${lineOf(page.text, offset)}`;
}

if (isStarted(import.meta.filename)) report('docs', checkDocs(ROOT));
