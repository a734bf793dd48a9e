/** Hooks as they are run: real programs, and a real HTTP server. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, until } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { HookInput } from '../model/hook.ts';
import { postHook, programHook } from './run-hook.ts';

const LONG_MS = 15_000;
const SHORT_MS = 300;
const NEVER = new AbortController().signal;
const INPUT = {
  point: 'before-unplug',
  jobId: 'job-1',
  vm: { id: 'vm-1', name: 'web 1; rm -rf $HOME' },
  source: { id: 'a', name: 'host-a' },
  target: { id: 'b', name: 'host-b' },
  host: { id: 'a', name: 'host-a' },
  vnics: [{ name: 'nic1', mac: '52:54:00:00:00:01' }],
  times: { unplugAsked: null, transferStarted: null, resumed: null, plugAsked: null },
} as unknown as HookInput;

let folder: string;
let server: Server | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-hooks-'));
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

function script(text: string): string {
  const path = join(folder, 'hook');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}
const runs = (text: string, limitMs = LONG_MS) => programHook(script(text), limitMs)(INPUT, NEVER);
const inFolder = (name: string) => join(folder, name);

const isGone = (pid: number): boolean => {
  try {
    // A killed one whose parent has not asked for it yet is no longer running.
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};
const pidOf = (name: string): number | undefined => {
  const path = inFolder(name);
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) || undefined : undefined;
};
const LIMITS = { limitMs: LONG_MS, everyMs: 10 };
/** Waits until the process with the id in this file is gone. */
async function gone(name: string): Promise<true> {
  const pid = await until(systemClock, `the file ${name}`, LIMITS, () => pidOf(name));
  return until(systemClock, `the end of ${pid}`, LIMITS, () => isGone(pid) || undefined);
}

test('a program gets the JSON on standard input and the small environment, and nothing else', async () => {
  expect(await runs(`cat >${inFolder('input')}; env >${inFolder('env')}; pwd >${inFolder('pwd')}`)).toBe(
    null,
  );
  expect(JSON.parse(readFileSync(inFolder('input'), 'utf8'))).toEqual(INPUT);
  const given = readFileSync(inFolder('env'), 'utf8').trim().split('\n').sort();
  // The shell's own.
  expect(given.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual([
    'HANDOVER_HOOK_POINT=before-unplug',
    'HANDOVER_JOB_ID=job-1',
    'HANDOVER_SOURCE_HOST=host-a',
    'HANDOVER_TARGET_HOST=host-b',
    'HANDOVER_VM_HOST=host-a',
    'HANDOVER_VM_ID=vm-1',
    'HANDOVER_VM_NAME=web 1; rm -rf $HOME',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ]);
  expect(readFileSync(inFolder('pwd'), 'utf8')).toBe('/\n');
});

test('a program that reads nothing of a long input is fine', async () => {
  const long = { ...INPUT, vm: { ...INPUT.vm, name: 'x' }, vnics: new Array(20_000).fill(INPUT.vnics[0]) };
  expect(await programHook(script('exit 0'), LONG_MS)(long as HookInput, NEVER)).toBe(null);
});

test('an exit code is a failure, told with the last line of standard error', async () => {
  const text = 'echo first >&2; printf "disk \\033[31mfull\\n\\n" >&2; exit 3';
  expect(await runs(text)).toBe('exit code 3 (disk [31mfull)');
  expect(await runs('exit 1')).toBe('exit code 1');
});

test('a signal is a failure', async () => {
  expect(await runs('kill -TERM $$')).toBe('it was ended by SIGTERM');
});

test('a program over its limit is killed with all that it started', async () => {
  const child = `sleep 600 & echo $! >${inFolder('child')}`;
  const text = `${child}; echo $$ >${inFolder('self')}; echo waits >&2; wait`;
  expect(await runs(text, SHORT_MS)).toBe('it had not ended after 0.3 s (waits)');
  expect(await gone('self')).toBe(true);
  expect(await gone('child')).toBe(true);
});

test('what a program leaves running in its group ends with it', async () => {
  // Without its output being held open by what it left.
  expect(await runs(`sleep 600 & echo $! >${inFolder('child')}; exit 0`)).toBe(null);
  expect(await gone('child')).toBe(true);
});

test('a program that ignores what it can is killed all the same', async () => {
  expect(
    await runs(`trap "" TERM INT HUP; echo $$ >${inFolder('self')}; while :; do :; done`, SHORT_MS),
  ).toBe('it had not ended after 0.3 s');
  expect(await gone('self')).toBe(true);
});

test('output without end is read, and does not lengthen the limit', async () => {
  const failure = await runs('yes "$(head -c 3000 /dev/zero | tr "\\0" x)" >&2', SHORT_MS);
  expect(failure).toMatch(/^it had not ended after 0.3 s \(x{1,200}\)$/);
});

test('of much output only the end is kept', async () => {
  // Kept whole, it would take longer than the limit.
  const much = 'head -c 300000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo the end >&2; exit 2';
  expect(await runs(much)).toBe('exit code 2 (the end)');
});

test('a file that is gone, or may no longer be executed, is a failure that names no path', async () => {
  const path = script('exit 0');
  chmodSync(path, 0o644);
  expect(await programHook(path, LONG_MS)(INPUT, NEVER)).toBe('it could not be started (EACCES)');
  rmSync(path);
  expect(await programHook(path, LONG_MS)(INPUT, NEVER)).toBe('it could not be started (ENOENT)');
});

test('a cancel ends a program at once, with its reason', async () => {
  const cancel = new AbortController();
  const running = programHook(script(`echo $$ >${inFolder('self')}; sleep 600`), LONG_MS)(
    INPUT,
    cancel.signal,
  );
  await until(systemClock, 'its begin', LIMITS, () => pidOf('self'));
  const reason = new HandoverError('CANCELLED', 'cancelled');
  cancel.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect(await gone('self')).toBe(true);
});

async function served(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new URL(`http://user:s%20ecret@127.0.0.1:${port}/move?token=t0ken`);
}

test('an address gets the JSON by POST, with the credentials of the address', async () => {
  const seen: unknown[] = [];
  const url = await served((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push(request.method, request.url, request.headers['content-type'], JSON.parse(body));
      seen.push(Buffer.from((request.headers.authorization ?? '').slice(6), 'base64').toString());
      response.writeHead(204).end();
    });
  });
  expect(await postHook(url, LONG_MS)(INPUT, NEVER)).toBe(null);
  expect(seen).toEqual(['POST', '/move?token=t0ken', 'application/json', INPUT, 'user:s ecret']);
});

test('any status outside 2xx is a failure, a redirect too, which is not followed', async () => {
  let asked = 0;
  const url = await served((request, response) => {
    asked += 1;
    response.writeHead(asked === 1 ? 500 : 307, { location: request.url }).end('secret');
  });
  expect(await postHook(url, LONG_MS)(INPUT, NEVER)).toBe('HTTP status 500');
  expect(await postHook(url, LONG_MS)(INPUT, NEVER)).toBe('HTTP status 307');
  expect(asked).toBe(2);
});

test('an address that does not answer within the limit is left, and its connection closed', async () => {
  let closed = false;
  const url = await served((request) => {
    request.socket.once('close', () => {
      closed = true;
    });
  });
  expect(await postHook(url, SHORT_MS)(INPUT, NEVER)).toBe('it had not ended after 0.3 s');
  await until(systemClock, 'the connection closed', LIMITS, () => closed || undefined);
});

test('an answer without end is not read', async () => {
  let closed = false;
  const url = await served((_, response) => {
    response.writeHead(200);
    const more = () => {
      while (response.write(Buffer.alloc(1 << 16)));
    };
    response.on('drain', more).on('error', () => undefined);
    response.once('close', () => {
      closed = true;
    });
    more();
  });
  expect(await postHook(url, LONG_MS)(INPUT, NEVER)).toBe(null);
  await until(systemClock, 'the connection closed', LIMITS, () => closed || undefined);
});

test('a connection that is refused is a failure that names no address', async () => {
  const url = await served(() => undefined);
  await new Promise<void>((resolve) => server?.close(() => resolve()));
  server = null;
  expect(await postHook(url, LONG_MS)(INPUT, NEVER)).toBe('no answer (ECONNREFUSED)');
});
