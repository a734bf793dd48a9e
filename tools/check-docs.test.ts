/** The documentation check finds what it is for. */
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../src/base/errors.ts';
import {
  brokenLinks,
  environmentProblems,
  errorTableProblems,
  missingPaths,
  missingScripts,
  missingSentences,
  unlistedPages,
} from './check-docs.ts';

const present = new Set(['docs/a.md', 'src/base', 'src/store/sql', 'test']);
const exists = (path: string): boolean => present.has(path);
const page = (text: string) => ({ path: 'docs/index.md', text });

test('a relative link must lead to a file; web addresses are left alone', () => {
  expect(brokenLinks(page('[a](a.md#part) [web](https://example.org/x)'), exists)).toEqual([]);
  expect(brokenLinks(page('one\n[b](b.md)'), exists)).toEqual([
    'docs/index.md:2: the link to b.md leads nowhere',
  ]);
});

test('a path in code must exist; of a pattern, its fixed part', () => {
  expect(missingPaths(page('`src/base/` `src/store/sql/0001-*.sql` `test/AREA/` `npm`'), exists)).toEqual([]);
  expect(missingPaths(page('`src/gone.ts`'), exists)).toEqual(['docs/index.md:1: there is no src/gone.ts']);
});

test('paths in fenced code and in commands are looked at too', () => {
  expect(missingPaths(page('```\nnode src/gone.ts run\n```\n`node bin/gone.mjs run`'), exists)).toEqual([
    'docs/index.md:2: there is no src/gone.ts',
    'docs/index.md:4: there is no bin/gone.mjs',
  ]);
});

test('paths that begin a line of code must exist', () => {
  expect(missingPaths(page('```\nbin/gone.mjs login\n```'), exists)).toHaveLength(1);
});

test('a sentence quoted behind a link must be in the file the link leads to', () => {
  const read = (path: string) =>
    path === 'test/a.test.ts' ? "it('a VM ' +\n  'moves')\nit('comes back')" : null;
  const cited = (sentences: string) => missingSentences(page(`[a](../test/a.test.ts) ${sentences}`), read);
  expect(cited('"a VM moves", "comes\nback"; "no sentence" of it')).toEqual([
    'docs/index.md:1: ../test/a.test.ts does not say "no sentence"',
  ]);
  expect(cited('of "a VM stays"')).toEqual([]);
  expect(missingSentences(page('[b](b.test.ts) "gone with its file"'), read)).toEqual([]);
});

test('variables of the environment are compared both ways', () => {
  const code = [{ path: 'src/daemon/config.ts', text: "env['HANDOVER_A']; env['HANDOVER_B']" }];
  expect(environmentProblems(code, [page('`HANDOVER_A` `HANDOVER_B`')])).toEqual([]);
  expect(environmentProblems(code, [page('`HANDOVER_A` `HANDOVER_C`')])).toEqual([
    'src/daemon/config.ts: HANDOVER_B is explained nowhere in docs/reference',
    'docs/index.md: nothing in src reads HANDOVER_C',
  ]);
});

test('the index links to every page', () => {
  const index = { path: 'docs/README.md', text: '[a](operate/a.md#part)' };
  const pages = [index, { path: 'docs/operate/a.md', text: '' }, { path: 'docs/operate/b.md', text: '' }];
  expect(unlistedPages(index, pages)).toEqual(['docs/README.md: has no link to docs/operate/b.md']);
});

test('a named npm script must exist', () => {
  expect(missingScripts(page('`npm run check`'), ['check'])).toEqual([]);
  expect(missingScripts(page('`npm run cheque`'), ['check'])).toHaveLength(1);
});

test('the table of errors is compared both ways, with kind and retry', () => {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { kind, retry }]) => `| ${code} | ${kind} | ${retry} | x |`,
  );
  const table = (lines: string[]) => ({ path: 'errors.md', text: lines.join('\n') });
  expect(errorTableProblems(table(rows))).toEqual([]);
  expect(errorTableProblems(table(rows.slice(1)))[0]).toContain('is missing');
  expect(errorTableProblems(table([...rows, '| MADE_UP | bug | never | x |']))[0]).toContain('MADE_UP');
  expect(errorTableProblems(table([...rows, '| NOT_FOUND | bug | never | x |']))[0]).toContain(
    'the page says',
  );
});
