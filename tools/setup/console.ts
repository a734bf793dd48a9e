/**
 * The web console, built into `console/dist`, where the engine serves it from. Built when it is missing or
 * when anything it is made of has changed: in a folder of its own that takes its place once it is whole, so
 * neither a build that is interrupted nor two at the same time leave half of one.
 * Callers: `tools/bootstrap.mjs` before `start` and `demo`, as a script; the tests in a browser.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { consoleLog } from '../../lab/console-log.ts';
import { CONSOLE_DIR, CONSOLE_STAMP } from '../../src/daemon/console-dir.ts';
import type { Log } from '../../src/base/log.ts';
import { isStarted, ROOT } from '../report.ts';
import { runCommand, toolPath } from '../run-command.ts';

/** Files and folders that decide what is built. */
const INPUTS = [
  'console/src',
  'console/public',
  'console/index.html',
  'console/vite.config.ts',
  'console/package.json',
  'console/tsconfig.json',
  'src/api/types',
  'package-lock.json',
  'tools/setup/console.ts',
];
/** Smaller files travel in one packet as they are. */
const GZIP_BYTES_MIN = 1_000;
const GZIP_ENDINGS = /\.(js|css|html|svg)$/;

/** Builds the console unless what is there is up to date. Says first what it does. Throws what vite said. */
export async function ensureConsole(log: Log): Promise<void> {
  const wanted = inputHash();
  if (isThere(wanted)) return;
  log.info(`building the web console into ${relative(ROOT, CONSOLE_DIR)} (some ten seconds)`);
  const own = mkdtempSync(join(ROOT, 'console', '.build-'));
  try {
    // Named like what it becomes, which git and the linters pass over.
    const built = join(own, 'dist');
    const args = ['build', 'console', '--logLevel', 'warn', '--outDir', built];
    const { status, output } = await runCommand(toolPath('vite'), args);
    if (status !== 0) throw new Error(`the web console can not be built:\n${output}`);
    for (const file of filesOf(built)) compress(file);
    writeFileSync(join(built, CONSOLE_STAMP), wanted);
    if (!isThere(wanted)) putInPlace(built, CONSOLE_DIR);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function isThere(wanted: string): boolean {
  try {
    return readFileSync(join(CONSOLE_DIR, CONSOLE_STAMP), 'utf8') === wanted;
  } catch {
    return false;
  }
}

/** Makes the folder `built` the folder `place`, in place of any that is there, however many do so at once. */
export function putInPlace(built: string, place: string): void {
  const old = `${built}-old`;
  for (;;) {
    try {
      renameSync(place, old);
      rmSync(old, { recursive: true });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
    try {
      renameSync(built, place);
      return;
    } catch (thrown) {
      // Another was quicker: then that one makes room.
      if (!['ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
    }
  }
}

function inputHash(): string {
  const hash = createHash('sha256');
  for (const file of INPUTS.flatMap((input) => filesOf(join(ROOT, input)))) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/** All files below a folder, in a fixed order; a file is its own only one. */
function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Leaves `FILE.gz` beside a file worth it: the server sends that to whoever takes it. */
function compress(file: string): void {
  const content = readFileSync(file);
  if (!GZIP_ENDINGS.test(file) || content.length < GZIP_BYTES_MIN) return;
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
}

if (isStarted(import.meta.filename)) await ensureConsole(consoleLog());
