/**
 * Runs one hook of the operator: a program of this machine, or a POST. Its limit holds for all of it, and
 * nothing of it goes on afterwards. What it says of a failure holds nothing of the address.
 */
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { abortReason } from '../base/clock.ts';
import type { OperatorHook } from '../migration/port.ts';
import type { HookInput } from '../model/hook.ts';

/** The engine's own would be another on every machine. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** For what an ended program had written to arrive; one that cannot be killed is not waited for. */
const LAST_WORDS_MS = 500;
const TAIL_BYTES = 4_096;
const WORDS_MAX = 200;

/** What ends a hook that does not end by itself. */
interface Limit {
  /** Rejects with the signal's reason. */
  readonly over: Promise<string>;
  free(): void;
}

function limitOf(limitMs: number, signal: AbortSignal): Limit {
  let free = () => {};
  const over = new Promise<string>((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    const timer = setTimeout(() => resolve(`it had not ended after ${limitMs / 1000} s`), limitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    free = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  return { over, free };
}

/** A program: no shell, no arguments, the JSON on its standard input, its own process group. */
export function programHook(path: string, limitMs: number): OperatorHook['run'] {
  return async (input, signal) => {
    signal.throwIfAborted();
    const limit = limitOf(limitMs, signal);
    const child = spawn(path, [], {
      cwd: '/',
      env: environmentOf(input),
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    const lastWords = keepTail(child.stderr);
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const ended = new Promise<string | null>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        resolve(`it could not be started (${error.code ?? 'unknown'})`),
      );
      child.once('exit', (code, by) =>
        resolve(code === 0 ? null : code === null ? `it was ended by ${by}` : `exit code ${code}`),
      );
    });
    // It need not read it.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(input));
    try {
      const failure = await Promise.race([ended, limit.over]);
      if (failure === null) return null;
      if (child.pid === undefined) return failure;
      killGroup(child.pid);
      await within(LAST_WORDS_MS, closed);
      const words = lastWords();
      return words === '' ? failure : `${failure} (${words})`;
    } finally {
      limit.free();
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdin.destroy();
      child.stderr.destroy();
    }
  };
}

/** All that it started and that did not leave its group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}

async function within(limitMs: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([done, over]);
  clearTimeout(timer);
}

/** Reads everything and keeps the end. Returns what gives its last line, short and printable. */
function keepTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
  });
  return () => {
    const lines = tail
      .toString('utf8')
      .split(/[\r\n]+/)
      .map((line) => line.replace(/[\p{C}]/gu, '').trim());
    return (lines.filter((line) => line !== '').at(-1) ?? '').slice(0, WORDS_MAX);
  };
}

function environmentOf({ point, jobId, vm, source, target, host }: HookInput): Record<string, string> {
  return {
    PATH,
    HANDOVER_HOOK_POINT: point,
    HANDOVER_JOB_ID: jobId,
    HANDOVER_VM_ID: vm.id,
    HANDOVER_VM_NAME: vm.name,
    HANDOVER_VM_HOST: host.name,
    HANDOVER_SOURCE_HOST: source.name,
    HANDOVER_TARGET_HOST: target.name,
  };
}

/** A POST of the JSON. The status decides: the answer is not read, and no redirect is followed. */
export function postHook(address: URL, limitMs: number): OperatorHook['run'] {
  return async (input, signal) => {
    signal.throwIfAborted();
    const limit = limitOf(limitMs, signal);
    const body = JSON.stringify(input);
    const { request: begin } = address.protocol === 'https:' ? https : http;
    const request = begin(address, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'handover',
      },
    });
    const ended = new Promise<string | null>((resolve) => {
      request.once('response', (response) => {
        response.on('error', () => undefined);
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 300 ? null : `HTTP status ${status}`);
      });
      request.on('error', (error: NodeJS.ErrnoException) =>
        resolve(`no answer (${error.code ?? 'unknown'})`),
      );
    });
    request.end(body);
    try {
      return await Promise.race([ended, limit.over]);
    } finally {
      limit.free();
      request.destroy();
    }
  };
}
