/** Imports TypeScript through tsx, or says what to install. For the programs in this folder. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Imports a file of `src`, named from this folder. `program` is who says so when packages are missing. */
export async function importSource(program, path) {
  const { register } = await import('tsx/esm/api').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`${program}: its packages are not installed; run "npm ci" in ${ROOT} first\n`);
    process.exit(1);
  });
  register();
  return await import(path);
}
