/** Signing on, staying signed on and no longer being it, on the real store; two engines on one database. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DatabaseConnection } from '../../src/store/db.ts';
import {
  type AccessEngine,
  ADMIN_PASSWORD,
  keptLog,
  MovedClock,
  startAccessEngine,
} from '../support/access-engine.ts';
import { eventually } from '../support/eventually.ts';
import { connectTo, freshDatabase } from '../support/postgres.ts';

const ADMIN = 'admin@internal';
const BOB = 'bob@internal';
const BOB_PASSWORD = 'battery staple';
const TOKEN = '/ovirt-engine/sso/oauth/token';
const API = '/ovirt-engine/api';
const MINUTE = 60_000;

let connection: DatabaseConnection;
let clock: MovedClock;
let log: string[];
let engine: AccessEngine;
let other: AccessEngine;
beforeEach(async () => {
  connection = await freshDatabase();
  clock = new MovedClock();
  log = [];
  [engine, other] = await Promise.all([
    startAccessEngine(connection, clock, keptLog(log)),
    startAccessEngine(connection, clock, keptLog(log)),
  ]);
});
afterEach(async () => {
  await engine.close();
  await other.close();
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function tokenOf(user: string, password: string): Promise<string> {
  const { status, body } = await engine.signOn(user, password);
  expect(status).toBe(200);
  return String(body['access_token']);
}

/** Whether a token opens the API; asked at both engines. */
async function isOpen(token: string): Promise<boolean> {
  const statuses = await Promise.all(
    [engine, other].map(async (each) => (await each.ask(`${API}/vms`, { headers: bearer(token) })).status),
  );
  expect(statuses[0]).toBe(statuses[1]);
  return statuses[0] === 200;
}

interface Made {
  readonly id: string;
}

async function addBob(roles: readonly string[] = ['UserVmManager']): Promise<string> {
  const answer = await engine.ask(`${API}/users`, {
    method: 'POST',
    headers: { authorization: basic(ADMIN, ADMIN_PASSWORD) },
    body: { user_name: BOB, password: BOB_PASSWORD, roles: { role: roles.map((name) => ({ name })) } },
  });
  expect(answer.status).toBe(201);
  return (answer.body as unknown as Made).id;
}

describe('the ways in', () => {
  test('a form with name and password gives a token, until it is given back', async () => {
    const token = await tokenOf(ADMIN, ADMIN_PASSWORD);
    expect(await isOpen(token)).toBe(true);
    const out = await other.ask('/ovirt-engine/services/sso-logout', {
      method: 'POST',
      body: new URLSearchParams({ scope: 'ovirt-app-api', token }),
    });
    expect([out.status, out.body]).toEqual([200, {}]);
    expect(await isOpen(token)).toBe(false);
  });

  test('a GET with Basic gives a token', async () => {
    const grant = encodeURIComponent('urn:ovirt:params:oauth:grant-type:http');
    const path = `${TOKEN}?grant_type=${grant}&scope=ovirt-app-api`;
    const challenge = await engine.ask(path);
    expect([challenge.status, challenge.headers['www-authenticate']]).toEqual([401, 'Basic realm="RESTAPI"']);
    const { body } = await engine.ask(path, { headers: { authorization: basic(ADMIN, ADMIN_PASSWORD) } });
    expect(await isOpen(String(body['access_token']))).toBe(true);
  });

  test('Basic after a challenge opens the API, and a cookie carries on while it is used', async () => {
    const challenge = await engine.ask(`${API}/vms`);
    expect([challenge.status, challenge.headers['www-authenticate']]).toEqual([401, 'Basic realm="RESTAPI"']);
    const given = { authorization: basic(ADMIN, ADMIN_PASSWORD), prefer: 'persistent-auth' };
    const first = await engine.ask(`${API}/vms`, { headers: given });
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    const again = await other.ask(`${API}/vms`, { headers: { ...given, cookie } });
    expect([again.status, again.headers['set-cookie']]).toEqual([200, undefined]);
    clock.moveOn(31 * MINUTE);
    const later = await engine.ask(`${API}/vms`, { headers: { ...given, cookie } });
    expect([later.status, later.headers['set-cookie']]).toEqual([200, expect.any(String)]);
    const wrong = { ...given, authorization: basic(ADMIN, 'wrong'), cookie: 'JSESSIONID=nonsense' };
    expect((await engine.ask(`${API}/vms`, { headers: wrong })).status).toBe(401);
  });

  test('a session for one request alone is not kept', async () => {
    const { status } = await engine.ask(API, { headers: { authorization: basic(ADMIN, ADMIN_PASSWORD) } });
    expect(status).toBe(200);
    await eventually('the end of the session', async () => {
      const kept = await connectTo(connection, (client) => client.query('select from sessions'));
      return kept.rowCount === 0;
    });
  });
});

describe('a session', () => {
  test('ends when nobody uses it, and a new token goes on from there', async () => {
    const token = await tokenOf(ADMIN, ADMIN_PASSWORD);
    clock.moveOn(29 * MINUTE);
    expect(await isOpen(token)).toBe(true);
    clock.moveOn(29 * MINUTE);
    expect(await isOpen(token)).toBe(true);
    clock.moveOn(31 * MINUTE);
    const expired = await engine.ask(`${API}/vms`, { headers: bearer(token) });
    expect([expired.status, expired.headers['www-authenticate']]).toEqual([401, 'Basic realm="RESTAPI"']);
    expect(await isOpen(await tokenOf(ADMIN, ADMIN_PASSWORD))).toBe(true);
  });

  test('ends after ten hours, however much it is used', async () => {
    const token = await tokenOf(ADMIN, ADMIN_PASSWORD);
    for (let minutes = 0; minutes < 600 - 20; minutes += 20) {
      clock.moveOn(20 * MINUTE);
      expect([minutes, await isOpen(token)]).toEqual([minutes, true]);
    }
    clock.moveOn(20 * MINUTE + 1_000);
    expect(await isOpen(token)).toBe(false);
  });

  test('ends with another password, all of that user and nobody else', async () => {
    const id = await addBob();
    const admin = await tokenOf(ADMIN, ADMIN_PASSWORD);
    const tokens = [await tokenOf(BOB, BOB_PASSWORD), await tokenOf(BOB, BOB_PASSWORD)];
    const put = async (headers: Record<string, string>, body: object) =>
      (await engine.ask(`${API}/users/${id}`, { method: 'PUT', headers, body })).status;
    expect(await put(bearer(admin), { password: 'set by the admin' })).toBe(200);
    for (const token of tokens) expect(await isOpen(token)).toBe(false);
    expect((await engine.signOn(BOB, BOB_PASSWORD)).status).toBe(400);

    const token = await tokenOf(BOB, 'set by the admin');
    expect(await put(bearer(token), { password: 'set by bob' })).toBe(400);
    expect(await put(bearer(token), { password: 'set by bob', current_password: 'guessed' })).toBe(400);
    expect(await put(bearer(token), { password: 'short', current_password: 'set by the admin' })).toBe(400);
    expect(await isOpen(token)).toBe(true);
    expect(await put(bearer(token), { password: 'set by bob', current_password: 'set by the admin' })).toBe(
      200,
    );
    expect(await isOpen(token)).toBe(false);
    expect(await isOpen(await tokenOf(BOB, 'set by bob'))).toBe(true);
    expect(await isOpen(admin)).toBe(true);
  });

  test('ends with its user', async () => {
    const id = await addBob();
    const token = await tokenOf(BOB, BOB_PASSWORD);
    const headers = bearer(await tokenOf(ADMIN, ADMIN_PASSWORD));
    expect((await other.ask(`${API}/users/${id}`, { method: 'DELETE', headers })).status).toBe(200);
    expect(await isOpen(token)).toBe(false);
    expect((await engine.signOn(BOB, BOB_PASSWORD)).status).toBe(400);
  });

  test('has the roles of the moment: one that is taken away ends with the next request', async () => {
    const id = await addBob(['UserVmManager', 'ReadOnlyAdmin']);
    const token = await tokenOf(BOB, BOB_PASSWORD);
    const users = async () => (await other.ask(`${API}/users`, { headers: bearer(token) })).status;
    expect(await users()).toBe(200);
    const headers = bearer(await tokenOf(ADMIN, ADMIN_PASSWORD));
    const roles = await engine.ask(`${API}/users/${id}/permissions?follow=role`, { headers });
    const permissions = roles.body['permission'] as { id: string; role: { name: string } }[];
    const readOnly = permissions.find(({ role }) => role.name === 'ReadOnlyAdmin')?.id;
    const path = `${API}/permissions/${readOnly}`;
    expect((await engine.ask(path, { method: 'DELETE', headers })).status).toBe(200);
    expect(await users()).toBe(403);
    const body = { user: { id }, role: { name: 'ReadOnlyAdmin' } };
    const given = await engine.ask(`${API}/permissions`, { method: 'POST', headers, body });
    expect([given.status, given.body['id']]).toEqual([201, readOnly]);
    expect(await users()).toBe(200);
  });

  test("goes on where another engine starts with the administrator's password", async () => {
    const token = await tokenOf(ADMIN, ADMIN_PASSWORD);
    const third = await startAccessEngine(connection, clock, keptLog(log));
    await third.close();
    expect(await isOpen(token)).toBe(true);
  });
});

describe('sign-ons that fail', () => {
  const fail = async (count: number, user = ADMIN, address?: string) => {
    const answers = [];
    for (let each = 0; each < count; each += 1) {
      answers.push(await (each % 2 === 0 ? engine : other).signOn(user, 'wrong', address));
    }
    return answers;
  };
  const shape = ({ status, body }: { status: number; body: Record<string, unknown> }) => ({
    status,
    keys: Object.keys(body).sort(),
    code: body['error_code'],
  });

  test('are refused for a while after five, the right password too, at every engine', async () => {
    const [first, , , , fifth] = await fail(5);
    expect(fifth?.body['error']).toContain('try again in 30 s');
    for (const each of [engine, other]) {
      const refused = await each.signOn(ADMIN, ADMIN_PASSWORD, '198.51.100.7');
      expect(shape(refused)).toEqual(shape(first as never));
      expect(refused.body['error']).toMatch(/too many sign-ons failed; try again in \d+ s$/);
      const asBasic = { authorization: basic(ADMIN, ADMIN_PASSWORD) };
      const api = await each.ask(API, { headers: asBasic });
      expect([api.status, api.body['detail']]).toEqual([401, expect.stringContaining('try again in')]);
    }
    clock.moveOn(31_000);
    expect((await fail(1))[0]?.body['error']).toContain('try again in 60 s');
    clock.moveOn(61_000);
    expect(await isOpen(await tokenOf(ADMIN, ADMIN_PASSWORD))).toBe(true);
    expect((await fail(1))[0]?.body['error']).not.toContain('try again');
  });

  test('do not tell whether there is such a user', async () => {
    await addBob();
    const ofBob = await fail(6, BOB);
    const ofNobody = await fail(6, 'nobody@internal');
    const plain = (answers: { body: Record<string, unknown> }[], user: string) =>
      answers.map(({ body }) =>
        JSON.stringify(body)
          .replaceAll(user, 'X')
          .replace(/in \d+ s/g, 'in N s'),
      );
    expect(plain(ofBob, BOB)).toEqual(plain(ofNobody, 'nobody@internal'));
  });

  test('do not keep those who are signed on out', async () => {
    const token = await tokenOf(ADMIN, ADMIN_PASSWORD);
    await fail(6);
    expect(await isOpen(token)).toBe(true);
  });

  test('from one address are refused for a while after twenty, whatever names they try', async () => {
    for (let each = 0; each < 20; each += 1) await fail(1, `user${each}@internal`, '2001:db8::1');
    const sameNetwork = await engine.signOn(ADMIN, ADMIN_PASSWORD, '2001:db8::ffff');
    expect(sameNetwork.body['error']).toContain('too many sign-ons failed');
    expect((await engine.signOn(ADMIN, ADMIN_PASSWORD, '2001:db8:0:1::1')).status).toBe(200);
  });

  test('all at once try hardly more passwords than one after the other', async () => {
    const burst = Array.from({ length: 20 }, (_, index) =>
      engine.signOn(ADMIN, 'wrong', `198.51.100.${index}`),
    );
    const compared = (await Promise.all(burst)).filter(({ body }) =>
      String(body['error']).includes('password is wrong'),
    );
    // The fifth closes the way; another may have had its turn then.
    expect(compared.length).toBeLessThanOrEqual(6);
  });

  test('by the hundred do not keep the others waiting, nor out', async () => {
    const flood = Array.from({ length: 300 }, (_, index) =>
      engine.signOn(`user${index}@internal`, 'wrong', '203.0.113.9'),
    );
    const meanwhile = await engine.signOn(ADMIN, ADMIN_PASSWORD);
    expect(meanwhile.status).toBe(200);
    const statuses = new Set((await Promise.all(flood)).map(({ status }) => status));
    expect([...statuses].every((status) => status === 400 || status === 504)).toBe(true);
  });
});

describe('secrets', () => {
  test('are neither logged nor kept in the database', async () => {
    const secrets = [ADMIN_PASSWORD, BOB_PASSWORD, 'typed-as-a-name', 'tried-in-vain', 'second password'];
    const id = await addBob();
    const token = await tokenOf(BOB, BOB_PASSWORD);
    for (let each = 0; each < 6; each += 1) {
      await engine.signOn(BOB, 'tried-in-vain');
      await engine.signOn('typed-as-a-name', 'tried-in-vain', '192.0.2.44');
    }
    const headers = bearer(await tokenOf(ADMIN, ADMIN_PASSWORD));
    const path = `${API}/users/${id}`;
    const put = async (body: object | string) => await engine.ask(path, { method: 'PUT', headers, body });
    expect((await put(`{"password": "second password" oops`)).status).toBe(400);
    expect((await put({ password: 'second password' })).status).toBe(200);
    const shown = await engine.ask(path, { headers });
    expect(shown.body['password']).toBeUndefined();
    const kept = [...log, await wholeDatabase()].join('\n');
    for (const secret of [...secrets, token]) expect(kept).not.toContain(secret);
    expect(log.join('\n')).toContain('too many sign-ons failed');
    expect(log.join('\n')).toContain("a user's password was set");
  });

  async function wholeDatabase(): Promise<string> {
    return await connectTo(connection, async (client) => {
      const tables = await client.query<{ name: string }>(
        `select table_name as name from information_schema.tables where table_schema = 'public'`,
      );
      const texts: string[] = [];
      for (const { name } of tables.rows) {
        const { rows } = await client.query<{ row: unknown }>(`select to_jsonb(t) as row from "${name}" t`);
        texts.push(JSON.stringify(rows));
      }
      expect(texts.join('')).toContain('scrypt$');
      return texts.join('\n');
    });
  }
});
