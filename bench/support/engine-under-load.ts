/**
 * The engine `bench/api.ts` measures: on a core of its own, with everything else (the bench, and the
 * PostgreSQL it starts) on the others. Asks it, and the kernel, what it uses.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { signOn } from '../../test/support/simulated-engine.ts';
import type { EngineLook } from './api-engine.ts';

const SCRIPT = fileURLToPath(new URL('api-engine.ts', import.meta.url));
const PASSWORD = 'bench-api-1';
/** sysconf(_SC_CLK_TCK), which is 100 wherever Node runs. */
const TICKS_PER_SECOND = 100;

/** A running engine and an administrator who is signed on. */
export interface EngineUnderLoad {
  readonly url: string;
  readonly token: string;
  /** CPU time of all its threads since its start. */
  cpuSeconds(): number;
  /** After a collection; the largest heap and RSS are noted from here on. */
  watch(): Promise<EngineLook>;
  /** What was used since `watch`. */
  peak(): Promise<EngineLook & { readonly rssMiBMax: number }>;
  stop(): Promise<void>;
}

/** Leaves the first core to the engine. Everything started from here on keeps off it too. */
export function leaveFirstCore(): void {
  const cores = availableParallelism();
  if (cores < 2) throw new Error('the engine and who asks it need a core each: this machine has one');
  execFileSync('taskset', ['-acp', `1-${cores - 1}`, String(process.pid)], { stdio: 'ignore' });
}

/** Starts one on the first core. */
export async function startEngineUnderLoad(dataDir: string, databaseUrl: string): Promise<EngineUnderLoad> {
  const args = ['-c', '0', process.execPath, '--expose-gc', '--import', 'tsx', SCRIPT];
  const child = spawn('taskset', [...args, dataDir, databaseUrl, PASSWORD], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const answer = async <T>(): Promise<T> => {
    const [said] = (await Promise.race([
      once(child, 'message'),
      ended.then(() => Promise.reject(new Error('the engine ended'))),
    ])) as [T];
    return said;
  };
  const ask = async (what: 'watch' | 'peak'): Promise<EngineLook> => {
    child.send(what);
    return await answer<EngineLook>();
  };
  const { url } = await answer<{ url: string }>();
  const ofProcess = (file: string) => `/proc/${child.pid}/${file}`;
  return {
    url,
    token: await signOn(url, PASSWORD),
    cpuSeconds() {
      // After the name, which is in brackets, the 12th and 13th: proc(5).
      const fields = readFileSync(ofProcess('stat'), 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    async watch() {
      const seen = await ask('watch');
      // The kernel's mark of the largest RSS begins anew.
      writeFileSync(ofProcess('clear_refs'), '5');
      return seen;
    },
    async peak() {
      const seen = await ask('peak');
      const [, mostKiB] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(ofProcess('status'), 'utf8')) ?? [];
      return { ...seen, rssMiBMax: Number(mostKiB) / 1024 };
    },
    async stop() {
      child.send('stop');
      await ended;
    },
  };
}
