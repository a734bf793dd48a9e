/**
 * What can be checked of the documentation: links, paths and commands exist; sentences of tests are in the
 * test that is linked; the table of errors, those of the API and the variables of the environment are the
 * code's. Callers: `check.ts`; `npx tsx tools/check-docs.ts` alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { ERROR_CODES } from '../src/base/errors.ts';
import { apiPageProblems } from './api-page.ts';
import { isStarted, report, ROOT } from './report.ts';
import { isTestFile, lineOf, listFiles } from './source-file.ts';

/** Folders whose files are named in texts; a name that begins so must exist. */
const ROOT_NAMES = /^(\.ci|bench|bin|console|docs|guest|lab|src|test|tools)\//;
/** The product's programs; no other part of it reads the environment. */
const READS_ENVIRONMENT = /^(src\/(daemon|cli)|bin)\//;
const INDEX_PAGE = 'docs/README.md';
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
 * Sentences in quotes right after a link to a test file or a scenario, `[x](y.test.ts) "one", "two"`, that do
 * not occur in that file. `read` gets a path from the repository's root and gives the text; null = no file.
 */
export function missingSentences(page: Page, read: (path: string) => string | null): string[] {
  const problems: string[] = [];
  const cited = /\]\(([^)\s#]+\.ts)\)((?:[\s,;]*"[^"]+")+)/g;
  for (const match of page.text.matchAll(cited)) {
    const [, target = '', quoted = ''] = match;
    const text = read(posix.normalize(posix.join(posix.dirname(page.path), target)));
    if (text === null) continue;
    // A long sentence is written as several strings.
    const joined = text.replace(/' \+\s+'/g, '');
    for (const [, wrapped = ''] of quoted.matchAll(/"([^"]+)"/g)) {
      const sentence = wrapped.replace(/\s+/g, ' ');
      if (!joined.includes(sentence))
        problems.push(`${place(page, match.index)}: ${target} does not say "${sentence}"`);
    }
  }
  return problems;
}

/**
 * Paths in code, inline or fenced, that are not there. Of a name with capitals or a star the fixed part must
 * exist.
 */
export function missingPaths(page: Page, exists: (path: string) => boolean): string[] {
  const problems: string[] = [];
  for (const code of page.text.matchAll(/```[^]*?```|`[^`\n]+`/g)) {
    for (const word of code[0].matchAll(/[^\s`]+/g)) {
      if (!ROOT_NAMES.test(word[0])) continue;
      const fixed = word[0].replace(/[^/]*(\*|[A-Z]{2,}).*$/, '').replace(/[/,;:.]+$/, '');
      const offset = code.index + word.index;
      if (!exists(fixed)) problems.push(`${place(page, offset)}: there is no ${fixed}`);
    }
  }
  return problems;
}

/** Variables `HANDOVER_...` that the code reads and no page explains, and the other way round. */
export function environmentProblems(code: readonly Page[], pages: readonly Page[]): string[] {
  const read = variablesIn(code);
  const explained = variablesIn(pages);
  return [
    ...[...read].flatMap(([name, where]) =>
      explained.has(name) ? [] : [`${where}: ${name} is explained nowhere in docs/reference`],
    ),
    ...[...explained].flatMap(([name, where]) =>
      read.has(name) ? [] : [`${where}: nothing in src reads ${name}`],
    ),
  ];
}

function variablesIn(pages: readonly Page[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const page of pages) {
    for (const match of page.text.matchAll(/\bHANDOVER_[A-Z_]+\b/g)) found.set(match[0], page.path);
  }
  return found;
}

/** Pages below docs/ that the index does not link to. */
export function unlistedPages(index: Page, pages: readonly Page[]): string[] {
  const linked = new Set(
    [...index.text.matchAll(/\]\(([^)\s#]+)/g)].map((match) => posix.join('docs', match[1] ?? '')),
  );
  return pages
    .filter(({ path }) => path.startsWith('docs/') && path !== index.path && !linked.has(path))
    .map(({ path }) => `${index.path}: has no link to ${path}`);
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
  const read = (path: string): string | null =>
    exists(path) ? readFileSync(join(root, path), 'utf8') : null;
  const scripts = scriptNames(root);
  const pages = readPages(root, /^/, ['.md']);
  const index = pages.find((page) => page.path === INDEX_PAGE) ?? { path: INDEX_PAGE, text: '' };
  const errorsPage = pages.find((page) => page.path === ERRORS_PAGE) ?? { path: ERRORS_PAGE, text: '' };
  return [
    ...pages.flatMap((page) => [
      ...brokenLinks(page, exists),
      ...missingPaths(page, exists),
      ...missingSentences(page, read),
      ...missingScripts(page, scripts),
    ]),
    ...unlistedPages(index, pages),
    ...errorTableProblems(errorsPage),
    ...apiPageProblems(root),
    ...environmentProblems(
      readPages(root, READS_ENVIRONMENT, ['.ts', '.mjs']),
      pages.filter(({ path }) => path.startsWith('docs/reference/')),
    ),
  ];
}

function readPages(root: string, chosen: RegExp, endings: readonly string[]): Page[] {
  return listFiles(root, endings)
    .filter((path) => chosen.test(path) && !isTestFile(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function scriptNames(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  return Object.keys(manifest.scripts);
}

function place(page: Page, offset: number): string {
  return `${page.path}:${lineOf(page.text, offset)}`;
}

if (isStarted(import.meta.filename)) report('docs', checkDocs(ROOT));
