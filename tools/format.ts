/**
 * Formats code and wraps its comments: `npm run format -- [PATH...]`, the whole checkout without paths.
 * What it leaves alone is for a person: long texts and comments behind code.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ROOT } from './report.ts';
import { listFiles } from './source-file.ts';
import { LIMITS } from './tidy-rules.ts';
import { wrapComments } from './wrap-comments.ts';

const paths = process.argv.slice(2).map((path) => relative(ROOT, resolve(path)));
const chosen = listFiles(ROOT, ['.ts', '.tsx', '.mjs', '.sh']).filter(
  (file) =>
    paths.length === 0 || paths.some((path) => path === '' || file === path || file.startsWith(`${path}/`)),
);
for (const file of chosen) {
  const text = readFileSync(`${ROOT}/${file}`, 'utf8');
  const wrapped = wrapComments(file, text, LIMITS.lineColumns);
  if (wrapped !== text) writeFileSync(`${ROOT}/${file}`, wrapped);
}
const targets = paths.length === 0 ? ['.'] : paths.map((path) => path || '.');
const answer = spawnSync('npx', ['--no-install', 'biome', 'format', '--write', ...targets], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exitCode = answer.status ?? 1;
