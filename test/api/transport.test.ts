/** Sign-on, and whatever a client or an enemy may do to a connection. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HandoverError } from '../../src/base/errors.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN } from '../support/memory-access.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(async () => {
  await server.close();
});

const TOKEN = '/ovirt-engine/sso/oauth/token';
const basic = (password: string = ADMIN.password) =>
  `Basic ${Buffer.from(`${ADMIN.user}:${password}`).toString('base64')}`;
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
/** Without the client's own token. */
const fetchRaw = async (path: string, init: RequestInit = {}) => await fetch(server.url + path, init);

describe('the token endpoint', () => {
  const signOn = async (fields: Record<string, string>) =>
    await fetchRaw(TOKEN, { method: 'POST', headers: FORM, body: form(fields) });

  test('gives a token that opens the API and can be given back', async () => {
    const answer = await signOn({
      grant_type: 'password',
      scope: 'ovirt-app-api',
      username: ADMIN.user,
      password: ADMIN.password,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('application/json');
    const body = (await answer.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      token_type: 'bearer',
      scope: 'ovirt-app-api',
      exp: expect.stringMatching(/^\d{13}$/) as string,
    });
    const headers = { authorization: `Bearer ${String(body['access_token'])}` };
    expect((await fetchRaw('/ovirt-engine/api', { headers })).status).toBe(200);
    const out = await fetchRaw('/ovirt-engine/services/sso-logout', {
      method: 'POST',
      headers: FORM,
      body: form({ scope: 'ovirt-app-api', token: String(body['access_token']) }),
    });
    expect([out.status, await out.json()]).toEqual([200, {}]);
    expect((await fetchRaw('/ovirt-engine/api', { headers })).status).toBe(401);
  });

  test('refuses in the way the SDKs understand', async () => {
    const answer = await signOn({ grant_type: 'password', username: ADMIN.user, password: 'wrong' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error_code: 'access_denied',
      error: expect.stringContaining(`Cannot authenticate user ${ADMIN.user}`) as string,
    });
    expect((await signOn({ grant_type: 'magic' })).status).toBe(400);
    expect((await signOn({})).status).toBe(400);
  });

  test('takes Basic for the HTTP grant', async () => {
    const grant = 'urn:ovirt:params:oauth:grant-type:http';
    const path = `${TOKEN}?${form({ grant_type: grant, scope: 'ovirt-app-api' })}`;
    const answer = await fetchRaw(path, { headers: { authorization: basic() } });
    expect(await answer.json()).toMatchObject({ token_type: 'bearer' });
    expect((await fetchRaw(path)).status).toBe(401);
  });
});

describe('the API', () => {
  test('challenges whoever sends no credentials, wherever they ask', async () => {
    for (const path of ['/ovirt-engine/api', '/ovirt-engine/api/vms', '/ovirt-engine/api/x', '/api/jobs']) {
      const answer = await fetchRaw(path);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="RESTAPI"');
      await answer.text();
    }
  });

  test('takes Basic, and leaves no session behind', async () => {
    const before = server.world.access.sessions.size;
    const answer = await fetchRaw('/ovirt-engine/api/vms', { headers: { authorization: basic() } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('application/xml');
    await eventually('the session to end', () => server.world.access.sessions.size === before);
    expect((await fetchRaw('/ovirt-engine/api', { headers: { authorization: basic('no') } })).status).toBe(
      401,
    );
  });

  test('takes Basic in Latin-1 too, as libsoup writes it', async () => {
    const bytes = Buffer.from(`${ADMIN.user}:${ADMIN.password}`, 'latin1');
    const headers = { authorization: `Basic ${bytes.toString('base64')}` };
    expect(ADMIN.password).toContain('ä');
    expect((await fetchRaw('/ovirt-engine/api/vms', { headers })).status).toBe(200);
  });

  test('keeps a session in a cookie for who asks for it', async () => {
    const headers = { authorization: basic(), prefer: 'persistent-auth' };
    const answer = await fetchRaw('/ovirt-engine/api', { headers });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^JSESSIONID=[^;]+; Path=\/ovirt-engine\/api; HttpOnly; SameSite=Strict$/);
    const sessions = server.world.access.sessions.size;
    const again = await fetchRaw('/ovirt-engine/api/vms', {
      headers: { ...headers, cookie: cookie.split(';')[0] ?? '' },
    });
    expect(again.status).toBe(200);
    expect(server.world.access.sessions.size).toBe(sessions);
    const cookieAlone = await fetchRaw('/ovirt-engine/api', {
      headers: { cookie: cookie.split(';')[0] ?? '' },
    });
    expect(cookieAlone.status).toBe(401);
  });

  test('lets no page of another site change anything with credentials a browser remembers', async () => {
    const path = `/ovirt-engine/api/vms/${server.web1.id}/migrate`;
    for (const foreign of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const answer = await fetchRaw(path, {
        method: 'POST',
        headers: { authorization: basic(), ...foreign },
      });
      expect(answer.status).toBe(403);
    }
    expect(server.world.jobs).toEqual([]);
    const own = await fetchRaw(path, {
      method: 'POST',
      headers: { authorization: basic(), origin: server.url },
    });
    expect(own.status).toBe(200);
  });

  test('tolerates what clients send along, and refuses another version', async () => {
    const headers = { version: '4', filter: 'false', 'all-content': 'true', 'accept-language': 'de' };
    expect((await server.ask('GET', 'vms', { headers })).status).toBe(200);
    const xml = { 'content-type': 'application/xml' };
    expect((await server.ask('GET', 'vms', { headers: xml })).status).toBe(200);
    expect((await server.ask('DELETE', `hosts/${server.hostB.id}`, { headers: xml })).status).toBe(200);
    expect((await server.ask('GET', 'vms', { headers: { version: '3' } })).status).toBe(400);
  });

  test('echoes the correlation id, and makes one up', async () => {
    const given = await server.ask('GET', 'vms', { headers: { 'correlation-id': 'a b/c-1' } });
    expect(given.headers.get('correlation-id')).toBe('abc-1');
    expect((await server.ask('GET', 'vms')).headers.get('correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('answers what it does not know with a fault', async () => {
    const answer = await server.ask('GET', 'nonsense', { format: 'xml' });
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('<fault>')]);
    expect((await server.ask('PATCH', 'vms', { body: '{}' })).status).toBe(404);
    expect((await server.ask('GET', 'vms/%zz')).status).toBe(400);
  });

  test.each([
    ['HOST_UNREACHABLE', 503],
    ['NOT_PERMITTED', 403],
    ['WAIT_TIMED_OUT', 504],
  ] as const)('turns %s of a use case into %d', async (code, status) => {
    server.world.failNext = new HandoverError(code, 'because');
    const answer = await server.ask('GET', 'vms');
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ reason: 'Operation Failed', detail: '[because.]', code });
  });

  test('survives a failure nobody foresaw', async () => {
    server.world.failNext = new TypeError('boom');
    expect((await server.ask('GET', 'vms')).status).toBe(500);
    expect((await server.ask('GET', 'vms')).status).toBe(200);
  });
});

describe('a connection', () => {
  /** One per test: the end of an earlier one may come late. */
  interface Connection {
    readonly socket: Socket;
    received: string;
    closed: boolean;
  }
  let connection: Connection;
  beforeEach(() => {
    const opened: Connection = { socket: connect(server.port, '127.0.0.1'), received: '', closed: false };
    opened.socket.on('data', (data) => {
      opened.received += data.toString();
    });
    opened.socket.on('close', () => {
      opened.closed = true;
    });
    opened.socket.on('error', () => {});
    connection = opened;
  });
  afterEach(() => {
    connection.socket.destroy();
  });
  const get = (more: string) =>
    `GET /ovirt-engine/api/vms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n${more}\r\n`;
  const answers = () => connection.received.match(/HTTP\/1\.1 \d+/g) ?? [];

  test('serves a GET whose body never comes, and is closed after it', async () => {
    connection.socket.write(get('Content-Length: 17\r\n'));
    await eventually('the answer', () => connection.closed);
    expect(answers()).toEqual(['HTTP/1.1 200']);
    expect(connection.received.toLowerCase()).toContain('connection: close');
  });

  test('serves GETs with a body one after the other', async () => {
    const request = `${get('Content-Length: 17\r\n')}<action></action>`;
    connection.socket.write(request);
    await eventually('the first answer', () => connection.received.includes('</vms>'));
    expect(connection.received.toLowerCase()).not.toContain('connection: close');
    connection.socket.write(request);
    await eventually('the second answer', () => answers().length === 2);
    expect(answers()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  });

  test('is closed, and says so, if the client wishes', async () => {
    connection.socket.write(get('Connection: close\r\n'));
    await eventually('the end', () => connection.closed);
    expect(connection.received.toLowerCase()).toContain('connection: close');
  });

  test('with an expectation of oVirt, which is none of HTTP, is served', async () => {
    connection.socket.write(get('Expect: 201-created\r\nConnection: close\r\n'));
    await eventually('the end', () => connection.closed);
    expect(answers()).toEqual(['HTTP/1.1 200']);
  });

  test('with a body that is too large is refused', async () => {
    const answer = await server.ask('POST', 'networks', {
      body: `{"name":"${'x'.repeat(2 * 1024 * 1024)}"}`,
    });
    expect(answer.status).toBe(413);
    expect(answer.json()).toHaveProperty('reason');
  });

  test('with nonsense on it gets a 400', async () => {
    connection.socket.write('NONSENSE\r\n\r\n');
    await eventually('the end', () => connection.closed);
    expect(connection.received).toContain('400');
  });

  test('with endless headers is refused', async () => {
    connection.socket.write(get(`X-Long: ${'x'.repeat(100_000)}\r\n`));
    await eventually('the end', () => connection.closed);
    expect(connection.received).toContain('431');
  });
});
