/**
 * The compiled CLI: on a copy of what the command needs of this checkout, run as a process of its own.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
/** In the help of `vm list`, from `src/cli/vm-program.ts`. */
const SAID = 'all VMs';

let checkout: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'handover-compiled-'));
  for (const path of ['bin', 'src/cli', 'src/api/types', 'package.json']) {
    cpSync(join(REPOSITORY, path), join(checkout, path), { recursive: true });
  }
  mkdirSync(join(checkout, 'node_modules'));
  // Without tsx the compiled CLI is the only one.
  for (const name of ['commander', 'esbuild']) link(name);
});
afterEach(() => {
  rmSync(checkout, { recursive: true, force: true });
});

function link(name: string): void {
  symlinkSync(join(REPOSITORY, 'node_modules', name), join(checkout, 'node_modules', name));
}

async function run(...args: string[]): Promise<string> {
  const command = [join(checkout, 'bin/handover.mjs'), ...args];
  return (await promisify(execFile)(process.execPath, command, { timeout: 50_000 })).stdout;
}
const help = async (): Promise<string> => await run('vm', 'list', '--help');

const compiled = (): string[] => readdirSync(join(checkout, 'dist/cli'));

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(checkout, path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(checkout, path), text.replace(from, to));
}

test('any number of processes may be the first', async () => {
  for (const answer of await Promise.all([help(), help(), help()])) expect(answer).toContain(SAID);
  expect(compiled()).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.js$/)]);
});

test('what is run are the sources as they are now, and what was compiled before is removed', async () => {
  await help();
  const before = compiled();
  edit('src/cli/vm-program.ts', SAID, 'every VM there is');
  expect(await help()).toContain('every VM there is');
  expect(compiled()).toHaveLength(1);
  expect(compiled()).not.toEqual(before);
});

test('it runs where nothing can be written, and with sources that are not in the key', async () => {
  link('tsx');
  writeFileSync(join(checkout, 'dist'), 'no folder');
  expect(await help()).toContain(SAID);
  rmSync(join(checkout, 'dist'));
  writeFileSync(join(checkout, 'src/said.ts'), `export const said = '${SAID}, told elsewhere';\n`);
  edit('src/cli/vm-program.ts', `.description('${SAID}')`, '.description(said)');
  edit(
    'src/cli/vm-program.ts',
    'import { run, seconds',
    "import { said } from '../said.ts';\nimport { run, seconds",
  );
  expect(await help()).toContain('told elsewhere');
  expect(readdirSync(checkout)).not.toContain('dist');
});

test('a stack names lines of the TypeScript', async () => {
  const path = 'src/cli/credentials.ts';
  edit(path, '  let text: string;', "  throw new Error('a bug');");
  const lines = readFileSync(join(checkout, path), 'utf8').split('\n');
  const place = `${path}:${lines.findIndex((line) => line.includes('a bug')) + 1}:`;
  const failed: unknown = await run('vm', 'list').catch((error: unknown) => error);
  expect(failed).toMatchObject({ stderr: expect.stringContaining(place) as string });
  expect(compiled()).toHaveLength(1);
});
