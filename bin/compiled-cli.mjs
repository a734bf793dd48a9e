/**
 * The CLI compiled to one file, `dist/cli/KEY.js`, built when first wanted: running TypeScript through tsx
 * takes longer to start than most commands run.
 *
 * Invariants: KEY is a hash of everything the file is made from, so a stale one is never run. A file is
 * complete when it has its name, so any number of processes may build at once. Whatever goes wrong here is
 * no failure of the command: its caller falls back to tsx. Called by `bin/handover.mjs` only.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** As deep as `src/cli`: what the code finds relative to itself is found from here too. */
const FOLDER = join(ROOT, 'dist', 'cli');
/** All that `src/cli` may import, see `tools/layer-rules.ts`. */
const SOURCE_FOLDERS = ['src/cli', 'src/api/types'];
/** How it is built: the version of esbuild, and this file. */
const OTHER_SOURCES = ['package.json', 'bin/compiled-cli.mjs'];

/** Path of the compiled CLI of these sources, which exists then. Throws if it can not be built or kept. */
export async function compiledCli() {
  const sources = listSources();
  const key = keyOf(sources);
  const path = join(FOLDER, `${key}.js`);
  if (!existsSync(path)) await build(sources, key, path);
  return path;
}

function listSources() {
  const inFolders = SOURCE_FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  );
  return [...inFolders.sort(), ...OTHER_SOURCES];
}

function keyOf(sources) {
  const hash = createHash('sha256');
  for (const source of sources) {
    const text = readFileSync(join(ROOT, source));
    hash.update(`${source} ${text.length}\n`).update(text);
  }
  return hash.digest('hex').slice(0, 32);
}

async function build(sources, key, path) {
  const { buildSync } = await import('esbuild');
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli/main.ts'],
    outfile: path,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // In the file itself, which is read once: another process may remove it after that.
    sourcemap: 'inline',
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const unknown = Object.keys(metafile.inputs).find((input) => !sources.includes(input));
  if (unknown !== undefined) throw new Error(`${unknown} is not in the key of the compiled CLI`);
  if (keyOf(sources) !== key) throw new Error('the sources changed while they were compiled');
  mkdirSync(FOLDER, { recursive: true });
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, outputFiles[0].contents, { flush: true });
  renameSync(beside, path);
  for (const name of readdirSync(FOLDER)) {
    if (!name.startsWith(key)) rmSync(join(FOLDER, name), { force: true });
  }
}
