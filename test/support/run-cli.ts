/** Command lines run within this process, since a process of its own takes a while to start. */
import { vi } from 'vitest';
import { main } from '../../src/cli/main.ts';

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command with this environment. Not for two at once: what is written is collected. */
export async function runCli(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const written = { out: '', err: '' };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.out += String(text);
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.err += String(text);
    return true;
  });
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    const code = await main(['node', 'handover', ...args], async () => {});
    return { code, ...written };
  } finally {
    vi.unstubAllEnvs();
    out.mockRestore();
    err.mockRestore();
  }
}
