/**
 * The guest's agent through libvirt: asking it, reading and writing small files, running a command. The guest
 * is not trusted: what is malformed counts as not told, a file is read to 4 KiB at most, and is closed
 * whatever happens. Used by the files of this folder that are about guests.
 */
import type { Clock } from '../base/clock.ts';
import type { VmId } from '../base/ids.ts';
import { LIBVIRT_CODE, type LibvirtClient, procedures } from '../libvirt/index.ts';
import { domainRef, nullOn } from './refusals.ts';

const AGENT_LIMIT_S = 5;
/** libvirt waits for the agent, and before that for another command to the same agent. */
const CALL_LIMIT_MS = 20_000;
/** Files are a few ms each. A guest may have many interfaces, and an agent that takes its time for each. */
const FILES_LIMIT_MS = 15_000;
const FILE_MAX_BYTES = 4096;
const SAID_MAX = 2000;
const PRINTED_MAX = 65_536;

/** What the agent's own errors are to libvirt. */
const SAID_NO = [LIBVIRT_CODE.agentCommandFailed, LIBVIRT_CODE.internal];

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** One guest's agent. Errors of libvirt's (no agent, none that answers) are thrown by all of it. */
export interface Agent {
  /**
   * Gives what the agent returned within 5 s, or another limit; undefined if that was no answer. Its own
   * errors are thrown, too.
   */
  ask(execute: string, args?: Json, limitS?: number): Promise<unknown>;
  /** The text of a file; null: there is none, the agent may not read it, or the time for files is over. */
  read(path: string): Promise<string | null>;
  /** Writes to a file that is there, as to one of sysfs; false: the agent may not, or the kernel refused. */
  write(path: string, text: string): Promise<boolean>;
  /** Begins a command; its process id, or null: the agent may not run commands. */
  run(path: string, args: readonly string[]): Promise<number | null>;
  /** How a command ended; null: it has not. One the agent knows nothing of ended somehow. */
  exitOf(pid: number): Promise<GuestExit | null>;
}

/** How a command of a guest ended. */
export interface GuestExit {
  /** null = not told. */
  readonly code: number | null;
  /** Its last words on standard error, as the guest gave them: 2000 characters at most. */
  readonly said: string;
  /** What it printed: 64 KiB of it at most. */
  readonly printed: string;
}

/** The agent of a domain. Asks nothing yet. */
export function agentOf(client: LibvirtClient, clock: Clock, vmId: VmId): Agent {
  const ask: Agent['ask'] = async (execute, args, limitS = AGENT_LIMIT_S) => {
    const cmd = JSON.stringify({ execute, ...(args ? { arguments: args } : {}) });
    const call = { dom: domainRef(vmId), cmd, timeoutS: limitS, flags: 0 };
    const answer = await client.call(procedures.qemuAgentCommand, call, { timeoutMs: CALL_LIMIT_MS });
    return returnOf(answer.result ?? '');
  };
  const tryAsk = (execute: string, args: Json) => nullOn(ask(execute, args), ...SAID_NO);
  const endMs = clock.monotonicMs() + FILES_LIMIT_MS;
  return {
    ask,
    async read(path) {
      if (clock.monotonicMs() >= endMs) return null;
      const handle = await tryAsk('guest-file-open', { path, mode: 'r' });
      if (!Number.isSafeInteger(handle)) return null;
      try {
        const answer = await tryAsk('guest-file-read', { handle, count: FILE_MAX_BYTES });
        const data = objectOf(answer)['buf-b64'];
        if (typeof data !== 'string') return null;
        return Buffer.from(data, 'base64').toString('latin1', 0, FILE_MAX_BYTES);
      } finally {
        await tryAsk('guest-file-close', { handle });
      }
    },
    async write(path, text) {
      const handle = await tryAsk('guest-file-open', { path, mode: 'w' });
      if (!Number.isSafeInteger(handle)) return false;
      const data = { handle, 'buf-b64': Buffer.from(text).toString('base64') };
      const written = await tryAsk('guest-file-write', data);
      // What the kernel thinks of it is told when the buffer goes out.
      const closed = await tryAsk('guest-file-close', { handle });
      return written !== null && closed !== null;
    },
    async run(path, args) {
      const pid = objectOf(await tryAsk('guest-exec', { path, arg: args, 'capture-output': true }))['pid'];
      return Number.isSafeInteger(pid) ? (pid as number) : null;
    },
    async exitOf(pid) {
      const status = objectOf(await tryAsk('guest-exec-status', { pid }));
      if (status['exited'] === false) return null;
      const { exitcode, 'err-data': said, 'out-data': printed } = status;
      return {
        code: typeof exitcode === 'number' ? exitcode : null,
        said: textOf(said).slice(-SAID_MAX),
        printed: textOf(printed).slice(0, PRINTED_MAX),
      };
    },
  };
}

const LOOK_EVERY_MS = 250;
const LOOK_EVERY_MS_MAX = 2_000;

/** Waits until a command ended; null: it had not within the limit, and goes on in the guest. */
export async function endOf(
  agent: Agent,
  clock: Clock,
  pid: number,
  limitMs: number,
): Promise<GuestExit | null> {
  const endMs = clock.monotonicMs() + limitMs;
  for (let pauseMs = LOOK_EVERY_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS_MAX)) {
    const exit = await agent.exitOf(pid);
    if (exit || clock.monotonicMs() >= endMs) return exit;
    await clock.sleep(pauseMs);
  }
}

const textOf = (base64: unknown): string =>
  typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('utf8') : '';

/** What an answer of the agent returns; undefined if it is no answer. */
export function returnOf(json: string): unknown {
  try {
    return objectOf(JSON.parse(json))['return'];
  } catch {
    return undefined;
  }
}

/** A JSON object, or an empty one in the place of anything else. */
export const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
