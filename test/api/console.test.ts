/** The web console over HTTP: what is a page, what is a file, and what stays a fault of the APIs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

const PAGE = '<!doctype html><title>Handover</title>';
const SCRIPT = `// ${'x'.repeat(2_000)}`;
const AS_BROWSER = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

let dir: string;
let server: ApiServer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'handover-console-'));
  const built = join(dir, 'dist');
  mkdirSync(join(built, 'assets'), { recursive: true });
  writeFileSync(join(dir, 'secret.txt'), 'not for you');
  writeFileSync(join(built, 'index.html'), PAGE);
  writeFileSync(join(built, 'theme.js'), SCRIPT);
  writeFileSync(join(built, 'assets', 'app-1a2b3c.js'), SCRIPT);
  writeFileSync(join(built, 'assets', 'app-1a2b3c.js.gz'), gzipSync(SCRIPT));
  server = await startApiServer({ consoleDir: built });
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const get = async (path: string, init: RequestInit = AS_BROWSER) => await fetch(server.url + path, init);

/** fetch takes `..` out of a path by itself. */
const getAsWritten = async (path: string): Promise<{ status: number; text: string }> =>
  await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: server.port, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });

describe('the page', () => {
  test('is answered to a browser at any address that is none of an API', async () => {
    for (const path of ['/', '/vms', '/jobs/4711?tab=steps', '/hosts/', '/no/such/page']) {
      const answer = await get(path);
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, PAGE]);
      expect(answer.headers.get('content-type')).toContain('text/html');
      expect(answer.headers.get('cache-control')).toBe('no-cache');
    }
  });

  test('allows nothing from elsewhere, nothing inline, and no frame around it', async () => {
    const { headers } = await get('/events');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  test('is not the answer to a program that asks for something unknown', async () => {
    const answer = await get('/vms', { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ reason: 'Operation Failed' });
  });
});

describe('files', () => {
  test('of the build are kept for ever by whoever loaded them', async () => {
    const answer = await get('/assets/app-1a2b3c.js');
    expect([answer.status, await answer.text()]).toEqual([200, SCRIPT]);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
  });

  test('are sent as they are to whoever takes nothing compressed', async () => {
    const answer = await get('/assets/app-1a2b3c.js', { headers: { 'accept-encoding': 'identity' } });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.text()).toBe(SCRIPT);
  });

  test('with a fixed name are asked for again each time', async () => {
    expect((await get('/theme.js')).headers.get('cache-control')).toBe('no-cache');
  });

  test('that are not there are not the page', async () => {
    expect((await get('/assets/app-0.js')).status).toBe(404);
  });

  test('outside of the folder are not reached', async () => {
    for (const path of [
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/../secret.txt',
      '/assets/..%5c..%5csecret.txt',
    ]) {
      const { status, text } = await getAsWritten(path);
      expect(text, path).not.toContain('not for you');
      expect([400, 403, 404], path).toContain(status);
    }
  });
});

describe('the APIs beside it', () => {
  test('answer unknown paths with a fault, to a browser too', async () => {
    const headers = { ...AS_BROWSER.headers, authorization: `Bearer ${server.token}` };
    for (const path of ['/api/nothing', '/ovirt-engine/api/nothing', '/ovirt-engine/nothing']) {
      const answer = await get(path, { headers });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(await answer.text()).not.toContain('<!doctype');
    }
  });

  test('still want a sign-on', async () => {
    expect((await get('/api/jobs')).status).toBe(401);
    expect((await get('/ovirt-engine/api/vms')).status).toBe(401);
  });
});

test('a console that has not been built says how to build it', async () => {
  const without = await startApiServer();
  try {
    const answer = await fetch(`${without.url}/vms`, AS_BROWSER);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('npm start');
  } finally {
    await without.close();
  }
});
