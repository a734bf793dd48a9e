/**
 * The password of admin@internal, which the demo needs to speak to its own engine. A data directory that is
 * used again keeps the one it got: in a file in it, readable by its owner only.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `given` (HANDOVER_ADMIN_PASSWORD) if there is one, else that of `dataDir` (null: one that is made for this
 * run), else `fresh`. Throws an Error for a directory that somebody else filled: its password is not known.
 */
export function demoPassword(dataDir: string | null, given: string | undefined, fresh: string): string {
  if (dataDir === null) return given || fresh;
  const file = join(dataDir, 'demo-password');
  if (!given && existsSync(file)) return readFileSync(file, 'utf8').trim();
  mkdirSync(dataDir, { recursive: true });
  if (!given && readdirSync(dataDir).length > 0) {
    throw new Error(
      `${dataDir} was not made by the demo, and the password of admin@internal there is not known: set ` +
        `HANDOVER_ADMIN_PASSWORD, or choose another directory with --data`,
    );
  }
  const password = given || fresh;
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}
