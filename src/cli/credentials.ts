/**
 * Tokens of `handover login`, by URL, in `~/.config/handover/credentials.json`, readable by its owner only.
 * Passwords are never stored. Written whole to a file beside it and renamed, so that a reader never sees half
 * of it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError, EXIT } from './cli-error.ts';

/** A token and until when it is good (wall-clock ms). */
export interface Credential {
  readonly user: string;
  readonly token: string;
  readonly expiresAt: number;
  /** Whose certificate the engine's is compared with, beside the system's; absolute. */
  readonly caFile?: string;
}

interface Stored {
  /** URL of the last login: used where neither `--url` nor HANDOVER_URL says another. */
  readonly current: string | null;
  readonly byUrl: Readonly<Record<string, Credential>>;
}

/** Where the tokens are. */
export function credentialsPath(): string {
  const base = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'handover', 'credentials.json');
}

/** What is stored; nothing if there is no file yet. */
export function readCredentials(): Stored {
  const path = credentialsPath();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, byUrl: {} };
    throw new CliError(EXIT.failed, `can not read ${path}: ${(thrown as Error).message}`);
  }
  try {
    const { current, byUrl } = JSON.parse(text) as Partial<Stored>;
    return { current: current ?? null, byUrl: byUrl ?? {} };
  } catch {
    throw new CliError(EXIT.failed, `${path} is no JSON; remove it and run: handover login`);
  }
}

/** Stores a token and makes its URL the current one. */
export function storeCredential(url: string, credential: Credential): void {
  const path = credentialsPath();
  const { byUrl } = readCredentials();
  const stored: Stored = { current: url, byUrl: { ...byUrl, [url]: credential } };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const beside = `${path}.${process.pid}`;
    writeFileSync(beside, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 });
    renameSync(beside, path);
  } catch (thrown) {
    throw new CliError(
      EXIT.failed,
      `signed on, but the token can not be kept in ${path} (${(thrown as Error).message}); make its folder ` +
        `writable, or choose another with XDG_CONFIG_HOME`,
    );
  }
}
