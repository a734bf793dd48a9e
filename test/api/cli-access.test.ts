/** `handover user`, and the command against an engine that speaks TLS. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApi } from '../../src/api/create-api.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { ADMIN, PASSWORD, USERS } from '../support/memory-access.ts';
import { emptyWorld, memoryUseCases } from '../support/memory-use-cases.ts';
import { type Ended, runCli } from '../support/run-cli.ts';

let server: ApiServer;
let home: string;
beforeEach(async () => {
  server = await startApiServer();
  home = mkdtempSync(join(tmpdir(), 'handover-cli-'));
  expect((await handover('login', { HANDOVER_PASSWORD: PASSWORD })).code).toBe(0);
});
afterEach(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

/** Runs the command; `input` is what stdin has. */
async function handover(args: string, env: Record<string, string> = {}, input = ''): Promise<Ended> {
  const stdin = Object.assign(Readable.from([Buffer.from(input)]), { isTTY: false });
  const real = vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as never);
  try {
    return await runCli(args.split(' '), { XDG_CONFIG_HOME: home, HANDOVER_URL: server.url, ...env });
  } finally {
    real.mockRestore();
  }
}

async function json<T>(args: string, env: Record<string, string> = {}, input = ''): Promise<T> {
  const { code, out, err } = await handover(`${args} --output json`, env, input);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

const signOn = async (user: string, password: string) =>
  await handover(`login --user ${user}`, {
    HANDOVER_PASSWORD: password,
    XDG_CONFIG_HOME: join(home, 'other'),
  });

describe('users', () => {
  test('are listed with their roles', async () => {
    const { out } = await handover('user list');
    expect(out).toMatch(/^NAME +ROLES\nadmin@internal +SuperUser\nbob@internal +UserVmManager\n/);
  });

  test('are added with a password from stdin, and removed', async () => {
    const roles = ['UserVmManager', 'ReadOnlyAdmin'];
    const added = await json(
      `user add kim --password-stdin --role ${roles.join(' --role ')}`,
      {},
      'long enough\n',
    );
    expect(added).toMatchObject({ name: 'kim@internal', roles });
    expect((await signOn('kim@internal', 'long enough')).code).toBe(0);
    expect(await json('user remove kim')).toMatchObject({ name: 'kim@internal', removed: true });
    expect((await signOn('kim@internal', 'long enough')).code).toBe(3);
  });

  test('are given roles, and lose them', async () => {
    const changed = await json('user role bob --add ReadOnlyAdmin --add SuperUser --remove UserVmManager');
    expect(changed).toMatchObject({ name: 'bob@internal', roles: ['SuperUser', 'ReadOnlyAdmin'] });
    expect(await json('user role bob@internal')).toEqual(changed);
  });

  test('get another password from an administrator', async () => {
    expect(await json('user password bob --password-stdin', {}, 'long enough')).toMatchObject({
      passwordSet: true,
    });
    expect((await signOn(USERS.UserVmManager, 'long enough')).code).toBe(0);
  });

  test('change their own, and stay signed on', async () => {
    const env = { HANDOVER_PASSWORD: PASSWORD };
    expect((await handover('user password --password-stdin', {}, 'long enough')).code).toBe(2);
    const wrong = await handover(
      'user password --password-stdin',
      { HANDOVER_PASSWORD: 'no' },
      'long enough',
    );
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('the current password is needed')]);
    await json('user password --password-stdin', env, 'long enough');
    expect((await signOn(ADMIN.user, 'long enough')).code).toBe(0);
    expect((await handover('user list')).code).toBe(0);
  });

  test.each([
    ['user add kim', 2, "required option '--role <role>'"],
    ['user add kim --role SuperUser', 2, '--password-stdin'],
    ['user add kim --role Emperor --password-stdin', 2, 'there is no role Emperor'],
    ['user remove nobody', 4, 'handover user list'],
    ['user role bob --remove SuperUser', 4, 'does not have the role'],
    ['user role bob --remove UserVmManager', 5, 'only role'],
    ['user remove admin', 5, 'only user with the role SuperUser'],
  ])('%s ends with %d', async (args, code, text) => {
    const ended = await handover(args, {}, 'long enough');
    expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
  });

  test('who may not are told which role is missing', async () => {
    await handover(`login --user ${USERS.UserVmManager}`, { HANDOVER_PASSWORD: PASSWORD });
    const ended = await handover('network create lab');
    expect([ended.code, ended.err]).toEqual([3, expect.stringContaining('that needs the role SuperUser')]);
    expect(ended.err).toContain('(NOT_PERMITTED)');
  });
});

describe('an engine that speaks TLS', () => {
  async function withTls<T>(use: (url: string, caFile: string) => Promise<T>): Promise<T> {
    const authority = new CertificateAuthority(join(home, 'ca'), 'Site');
    const { certFile, keyFile, caFile } = authority.issue('engine', ['IP:127.0.0.1']);
    const [cert, key] = [certFile, keyFile].map((file) => readFileSync(file, 'utf8'));
    const app = createApi({
      useCases: memoryUseCases(emptyWorld()),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      tls: { cert: cert ?? '', key: key ?? '', server: null, ca: null },
    });
    try {
      return await use(await app.listen({ host: '127.0.0.1', port: 0 }), caFile);
    } finally {
      await app.close();
    }
  }

  test('is trusted by the file of its authority, which is remembered', async () => {
    await withTls(async (url, caFile) => {
      const env = { HANDOVER_URL: url, HANDOVER_PASSWORD: PASSWORD };
      const untrusted = await handover('login', env);
      expect([untrusted.code, untrusted.err]).toEqual([6, expect.stringContaining('--ca-file FILE')]);
      expect((await handover(`login --ca-file ${caFile}`, env)).code).toBe(0);
      expect((await handover('vm list', { HANDOVER_URL: url })).code).toBe(0);
    });
  });

  test('is told from one whose certificate is of another authority, by what is said', async () => {
    await withTls(async (url, caFile) => {
      const other = join(home, 'other.pem');
      new CertificateAuthority(join(home, 'other-ca'), 'Other');
      writeFileSync(other, readFileSync(join(home, 'other-ca', 'ca.pem')));
      const env = { HANDOVER_PASSWORD: PASSWORD };
      const cases: readonly (readonly [string, string, number, string])[] = [
        [url, other, 6, `not of the authority in ${other}`],
        [url.replace('127.0.0.1', 'localhost'), caFile, 6, 'for other names'],
        [url, join(home, 'nowhere.pem'), 2, 'nowhere.pem'],
        [server.url.replace('http:', 'https:'), caFile, 6, 'does not speak TLS'],
      ];
      for (const [at, file, code, text] of cases) {
        const ended = await handover('login', { ...env, HANDOVER_URL: at, HANDOVER_CA_FILE: file });
        expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
      }
    });
  });
});
