/**
 * `npm run bench -- NAME [ARGUMENTS]`: runs one benchmark of `bench/`; without a name lists them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './report.ts';

const folder = join(ROOT, 'bench');
const names = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.replace(/\.ts$/, ''));
const name = process.argv[2];
if (name !== undefined && names.includes(name)) {
  const script = join(folder, `${name}.ts`);
  // The benchmark sees its own arguments where a script that was started by itself would.
  process.argv.splice(1, 2, script);
  await import(pathToFileURL(script).href);
} else {
  console.error(`usage: npm run bench -- NAME\nbenchmarks: ${names.join(', ') || 'none'}`);
  process.exitCode = 2;
}
