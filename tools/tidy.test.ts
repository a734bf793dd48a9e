/**
 * The tidy check finds what it is for: one planted breach of each rule, and what looks like one but is not.
 */
import { expect, test } from 'vitest';
import { splitSource } from './source-file.ts';
import { breachesOf, tidyProblems } from './tidy.ts';
import { LIMITS } from './tidy-rules.ts';

const HEADER = "/** Header. */\nimport './base.ts';\n";

/** Names of the rules that `body`, put below a header, breaks. */
function rules(body: string, path = 'src/app/thing.ts'): string[] {
  return breachesOf(splitSource(path, HEADER + body)).map((breach) => breach.rule);
}

test('sources of time, chance and environment are banned in the product', () => {
  expect(rules('const now = Date.now();')).toEqual(['wall-clock']);
  expect(rules('const now = new Date();')).toEqual(['wall-clock']);
  expect(rules('const then = new Date(1000);')).toEqual([]);
  expect(rules('setTimeout(run, 5);')).toEqual(['timer']);
  expect(rules("import { setTimeout } from 'node:timers/promises';")).toEqual(['timer', 'timer-module']);
  expect(rules('const id = randomUUID();')).toEqual(['chance']);
  expect(rules('const home = process.env.HOME;')).toEqual(['environment']);
});

test('base, daemon and tools may use them', () => {
  expect(rules('const now = Date.now();', 'src/base/thing.ts')).toEqual([]);
  expect(rules('const home = process.env.HOME;', 'src/daemon/thing.ts')).toEqual([]);
  expect(rules('setTimeout(run, 5);', 'lab/thing.ts')).toEqual([]);
});

test('a breach names file, line and replacement', () => {
  const file = splitSource('src/app/thing.ts', `${HEADER}\nconst now = Date.now();\n`);
  expect(tidyProblems([file], [])).toEqual([
    'src/app/thing.ts:4: [wall-clock] "Date.now": take a Clock (src/base/clock.ts), ' +
      'so that campaigns run on a virtual one',
  ]);
});

test('rules about code are not tripped by comments and texts', () => {
  expect(rules("// Date.now is banned.\nconst text = 'Date.now';")).toEqual([]);
  expect(rules(`const text = \`a \${name} setTimeout( \`;`)).toEqual([]);
});

test('SQL stays in the store', () => {
  expect(rules("const query = 'select id from jobs where id = $1';")).toEqual(['sql']);
  expect(rules("const query = 'select id from jobs where id = $1';", 'src/store/thing.ts')).toEqual([]);
  expect(rules("const message = 'select a host from the list, then try again';")).toEqual([]);
});

test("libvirt's and oVirt's words stay in their folders", () => {
  expect(rules('const name = virDomainGetName(domain);')).toEqual(['libvirt-names']);
  expect(rules("const status = 'migrating_from';")).toEqual(['ovirt-words']);
  expect(rules("const status = 'migrating_from';", 'src/api/ovirt/thing.ts')).toEqual([]);
  expect(rules('const dstHost = hosts.b;')).toEqual(['other-words']);
});

test('notes for later and tests that do not run are banned everywhere', () => {
  expect(rules('// TODO: later', 'tools/thing.ts')).toEqual(['later']);
  expect(rules("test.only('a', run);", 'test/a.test.ts')).toEqual(['partial-tests']);
  expect(rules("describe.skip('a', run);", 'src/a.test.ts')).toEqual(['partial-tests']);
});

test('checkers are silenced only with rule and reason', () => {
  expect(rules('// @ts-expect-error wrong')).toEqual(['silenced-checker']);
  expect(rules('// eslint-disable-next-line eqeqeq')).toEqual(['silenced-checker']);
  expect(rules('// eslint-disable-next-line eqeqeq -- null and undefined alike')).toEqual([]);
});

test('sizes are limited', () => {
  expect(rules(`const text = '${'x'.repeat(LIMITS.lineColumns)}';`)).toEqual(['line-columns']);
  expect(rules('\n'.repeat(LIMITS.fileLines))).toEqual(['file-lines']);
  const long = `function run() {\n${'  step();\n'.repeat(LIMITS.functionLines)}}`;
  expect(rules(long)).toEqual(['function-lines']);
});

test('a list of tests may be long, a test may not', () => {
  const steps = '  step();\n'.repeat(LIMITS.functionLines);
  expect(rules(`describe('a', () => {\n test('b', () => {});\n${steps}});`, 'src/a.test.ts')).toEqual([]);
  expect(rules(`test('b', () => {\n${steps}});`, 'src/a.test.ts')).toEqual(['function-lines']);
});

test('every file begins with a header', () => {
  const noHeader = splitSource('src/app/thing.ts', "import './other.ts';\n");
  expect(breachesOf(noHeader).map((breach) => breach.rule)).toEqual(['header']);
  const shell = splitSource('lab/run.sh', '#!/bin/sh\n# What it is for.\nset -e\n');
  expect(breachesOf(shell)).toEqual([]);
});

test('exports have docstrings; a group, the main export and derived types need no more', () => {
  expect(rules('export const limit = 1;')).toEqual(['docstring']);
  expect(rules('/** Says it. */\nexport const limit = 1;\nexport const other = 2;')).toEqual([]);
  expect(rules('/** Says it. */\nexport const limit = 1;\n\nexport const other = 2;')).toEqual(['docstring']);
  expect(rules('export interface Thing {}')).toEqual([]);
  expect(rules('export type Kind = (typeof KINDS)[number];')).toEqual([]);
});

test('an exception covers its file and rule, and fails when nothing needs it', () => {
  const file = splitSource('src/app/thing.ts', `${HEADER}const now = Date.now();\n`);
  const exception = { path: 'src/app/thing.ts', rule: 'wall-clock', reason: 'a reason' };
  expect(tidyProblems([file], [exception])).toEqual([]);
  expect(tidyProblems([file], [exception, { ...exception, rule: 'timer' }])).toEqual([
    'tools/tidy-rules.ts: the exception of src/app/thing.ts from timer is not needed',
  ]);
});
