/**
 * The command as people and scripts run it, against a running API: most command lines within this process,
 * since a process of its own takes a while to start; those about the process itself with one.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Job, JobState, JobStep } from '../../src/model/job.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN } from '../support/memory-access.ts';
import { type Ended, runCli } from '../support/run-cli.ts';

const COMMAND = fileURLToPath(new URL('../../bin/handover.mjs', import.meta.url));

let server: ApiServer;
let home: string;

/** Runs the command as a process of its own. */
async function spawned(args: string, input = '', env: Record<string, string> = {}): Promise<Ended> {
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [COMMAND, ...args.split(' ')],
      {
        env: { PATH: process.env['PATH'], XDG_CONFIG_HOME: home, HANDOVER_URL: server.url, ...env },
        timeout: 50_000,
      },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      },
    );
    child.stdin?.end(input);
  });
}

/** Runs the command here. */
const handover = async (args: string, env: Record<string, string> = {}): Promise<Ended> =>
  await runCli(args.split(' '), { XDG_CONFIG_HOME: home, HANDOVER_URL: server.url, ...env });

/** A URL where nothing listens. */
async function deadUrl(): Promise<string> {
  const listener = createServer();
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  await new Promise((resolve) => void listener.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

const json = async <T>(args: string): Promise<T> => {
  const { code, out, err } = await handover(`${args} --output json`);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
};

beforeAll(async () => {
  server = await startApiServer();
  home = mkdtempSync(join(tmpdir(), 'handover-cli-'));
  const { code, err } = await handover('login', { HANDOVER_PASSWORD: ADMIN.password });
  expect([code, err]).toEqual([0, '']);
});
afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

describe('login', () => {
  test('keeps the token where nobody else can read it, and never the password', async () => {
    const path = join(home, 'handover', 'credentials.json');
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    const wrong = await spawned('login --password-stdin', 'wrong\n');
    expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining('Cannot authenticate user')]);
    const right = await spawned('login --password-stdin --output json', `${ADMIN.password}\n`);
    expect(JSON.parse(right.out)).toMatchObject({ url: server.url, user: ADMIN.user });
    expect(right.out + right.err).not.toContain(ADMIN.password);
  });

  test('says where the token can not be kept', async () => {
    // Not even root writes through a link to nowhere.
    mkdirSync(join(home, 'config'));
    symlinkSync(join(home, 'nowhere', 'deep'), join(home, 'config', 'handover'));
    const env = { XDG_CONFIG_HOME: join(home, 'config'), HANDOVER_PASSWORD: ADMIN.password };
    const ended = await handover('login', env);
    expect([ended.code, ended.err]).toEqual([
      1,
      expect.stringMatching(/^handover: .*config\/handover\/credentials\.json .*XDG_CONFIG_HOME\n$/),
    ]);
  });

  test('never asks without a terminal', async () => {
    const ended = await spawned('login');
    expect([ended.code, ended.err]).toEqual([2, expect.stringContaining('--password-stdin')]);
  });
});

describe('guest kit', () => {
  test('prints the text as it is, or in a document', async () => {
    const { code, out, err } = await handover('guest kit web-1 --format nmcli');
    expect([code, out, err]).toEqual([0, 'nmcli for web-1\n', '']);
    expect(await json('guest kit web-1')).toEqual({
      vm: 'web-1',
      format: 'script',
      text: 'script for web-1\n',
    });
  });

  test('knows its formats', async () => {
    const { code, err } = await handover('guest kit web-1 --format wicked');
    expect([code, err]).toEqual([2, expect.stringContaining('Allowed choices are script, cloud-init')]);
  });
});

describe('what goes wrong', () => {
  test('has its exit code and says what to do', async () => {
    const cases: readonly (readonly [string, Record<string, string>, number, string])[] = [
      ['vm list', { XDG_CONFIG_HOME: '/nonexistent' }, 3, 'run: handover login'],
      ['login', { HANDOVER_URL: await deadUrl(), HANDOVER_PASSWORD: 'x' }, 6, 'handover serve'],
      ['vm show nobody', {}, 4, 'handover vm list'],
      ['host remove', {}, 2, "missing required argument 'host'"],
      ['vm frobnicate', {}, 2, 'unknown command'],
      ['vm migrate web-1 --unplug-timeout soon', {}, 2, 'number of seconds'],
      ['host list --output yaml', {}, 2, 'Allowed choices'],
      ['network delete prod', {}, 5, 'delete them first'],
      ['vm cancel web-1', {}, 5, 'Cannot cancel migration for non migrating VM'],
      ['vm add host-a /nowhere.xml', {}, 2, 'the definition can not be read: ENOENT'],
      ['vm nic set-profile web-1 nic9 prod-vf', {}, 4, 'it has: nic1, nic2'],
    ];
    for (const [args, env, code, message] of cases) {
      const ended = await handover(args, env);
      expect([args, ended.code, ended.out]).toEqual([args, code, '']);
      expect(ended.err).toContain(message);
    }
  });
});

describe('what goes wrong, for programs', () => {
  test('is the one document on stdout, with the code of the engine', async () => {
    const cases: readonly (readonly [string, Record<string, string>, number, string | null, string])[] = [
      ['network delete prod', {}, 5, 'IN_USE', 'delete them first'],
      ['vm cancel web-1', {}, 5, 'VM_NOT_MIGRATING', 'Cannot cancel migration for non migrating VM'],
      ['vm list', { XDG_CONFIG_HOME: '/nonexistent' }, 3, 'NOT_SIGNED_IN', 'run: handover login'],
      ['login', { HANDOVER_PASSWORD: 'wrong' }, 3, 'SIGN_ON_REFUSED', 'Cannot authenticate user'],
      ['login', { HANDOVER_URL: await deadUrl(), HANDOVER_PASSWORD: 'x' }, 6, null, 'handover serve'],
      ['vm show nobody', {}, 4, 'NOT_FOUND', 'handover vm list'],
      ['host remove', {}, 2, 'INVALID_INPUT', "missing required argument 'host'"],
      ['host', {}, 2, 'INVALID_INPUT', 'not complete'],
    ];
    for (const [args, env, exitCode, code, message] of cases) {
      const ended = await handover(`${args} --output json`, env);
      expect([args, ended.code, JSON.parse(ended.out)]).toEqual([
        args,
        exitCode,
        { error: { code, message: expect.stringContaining(message) as string } },
      ]);
      expect(ended.err).not.toBe('');
    }
  });

  test('is for people the sentence, then the code of the engine', async () => {
    const { err } = await handover('network delete prod');
    expect(err).toMatch(/^handover: Cannot remove Network\. .* \(IN_USE\)\n$/);
    expect((await handover('vm show nobody')).err).not.toContain('(');
  });
});

describe('an engine that does not answer in time', () => {
  const silent = createServer();
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(silent.address() as { port: number }).port}`;
  });
  afterAll(() => void silent.close());

  test('is not said to be unreachable: what was asked for may have been done', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(100));
    try {
      const args = 'login --output json';
      const { code, out } = await handover(args, { HANDOVER_URL: url, HANDOVER_PASSWORD: 'x' });
      expect([code, JSON.parse(out)]).toEqual([
        6,
        {
          error: {
            code: 'CALL_TIMED_OUT',
            message:
              `no answer from Handover at ${url} within 120 s; it may have been carried out all the same: ` +
              `look before you repeat it`,
          },
        },
      ]);
    } finally {
      limit.mockRestore();
    }
  });
});

describe('things', () => {
  test('are listed as tables', async () => {
    expect((await spawned('vm list')).out.split('\n')).toEqual([
      'NAME   STATUS  HOST    MEMORY  VCPUS  VFS',
      'web-1  up      host-a  2 GiB   2      0000:3b:02.1',
      '',
    ]);
  });

  test('are plain values in JSON', async () => {
    const hosts = await json<Record<string, unknown>[]>('host list');
    expect(hosts[0]).toMatchObject({
      name: 'host-a',
      memoryKiB: 16 * 1024 * 1024,
      pfs: [{ name: 'ens1f0', vfCount: 2, vfCountFree: 1, vfs: [{ state: 'free' }, { state: 'attached' }] }],
    });
    expect(await json('vm show web-1')).toMatchObject({
      host: 'host-a',
      nics: [{ name: 'nic1', profile: 'prod-vf', passThrough: true, plugged: true, vf: '0000:3b:02.1' }, {}],
    });
  });

  test('are created, changed and deleted', async () => {
    expect(await json('network create lab --vlan 7 --label blue')).toMatchObject({ vlan: 7, label: 'blue' });
    expect(await json('network update lab --vlan none --label none')).toMatchObject({
      vlan: null,
      label: null,
    });
    expect(
      await json('vnic-profile create lab-vf --network lab --pass-through --migratable no'),
    ).toMatchObject({ network: 'lab', passThrough: true, migratable: false });
    expect(await json('vnic-profile update lab-vf --migratable yes')).toMatchObject({ migratable: true });
    expect(await json('vnic-profile delete lab-vf')).toMatchObject({ deleted: true });
    expect(await json('network delete lab')).toMatchObject({ deleted: true });
    expect(await json('host add h9 qemu+tls://h9/system --peer-uri qemu+tls://x/system')).toMatchObject({
      uri: 'qemu+tls://h9/system',
      peerUri: 'qemu+tls://x/system',
    });
    expect(
      await json('host update h9 --peer-uri none --migration-address 10.0.0.9 --outgoing-max 3'),
    ).toMatchObject({ uri: 'qemu+tls://h9/system', peerUri: null, migrationAddress: '10.0.0.9' });
    expect(await json('host refresh h9')).toMatchObject({ name: 'h9' });
    const file = join(home, 'new-1.xml');
    writeFileSync(file, '<domain><name>new-1</name></domain>');
    expect(await json(`vm add h9 ${file} --name new-2`)).toMatchObject({ name: 'new-2', status: 'down' });
    expect((await handover('vm remove new-2')).out).toBe('new-2 is removed; its disks are still there.\n');
    expect(await json('host remove h9')).toMatchObject({ removed: true });
  });
});

describe('a migration', () => {
  const setJob = (state: JobState, over: Partial<Job> = {}) => {
    server.world.jobs = server.world.jobs.map((job) => ({ ...job, state, ...over }));
  };

  const aStep = (jobId: Job['id'], name: string, startedAt: number, lastedMs: number): JobStep => ({
    jobId,
    number: 1,
    name,
    vnicId: null,
    state: 'finished',
    attempts: 1,
    message: null,
    startedAt,
    endedAt: startedAt + lastedMs,
  });

  test('is planned, with every host and every VF', async () => {
    const { code, out } = await handover('vm plan web-1');
    expect(code).toBe(0);
    expect(out).toContain('web-1 can move from host-a to host-b');
    expect(out).toContain('nic1: VF 0000:3b:02.1 (ens1f0) → 0000:3b:02.0 (ens1f0)');
    const impossible = await handover('vm plan web-1 --to host-a --output json');
    expect(impossible.code).toBe(5);
    expect(JSON.parse(impossible.out)).toMatchObject({ possible: false, target: null });
  });

  test('is watched to its end, which is the exit code', async () => {
    const watching = handover('vm migrate web-1 --to host-b --watch --unplug-timeout 2.5 --downtime-max 150');
    const job = await eventually('the job', () => server.world.jobs[0]);
    expect(job.params).toMatchObject({ unplugTimeoutMs: 2500, downtimeMsMax: 150 });
    setJob('succeeded', {
      startedAt: job.createdAt,
      endedAt: job.createdAt + 4_210,
      data: { downtimeMs: 38 },
    });
    const { code, out, err } = await watching;
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`job ${job.id}: web-1 from host-a to host-b`);
    expect(out).toContain('web-1  host-a → host-b  succeeded in 4.21 s');
    expect(out).toContain('downtime     38 ms');

    setJob('failed', { error: { code: 'UNPLUG_TIMED_OUT', message: 'the guest keeps nic1' } });
    const failed = await handover(`job watch ${job.id.slice(0, 8)} --output json`);
    expect([failed.code, failed.err]).toEqual([7, expect.stringContaining('the guest keeps nic1')]);
    expect(JSON.parse(failed.out)).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
  });

  test('of a drill says what it found, then and later', async () => {
    server.world.jobs = [];
    const drilling = handover('guest drill web-1');
    const job = await eventually('the job', () => server.world.jobs[0]);
    const gapMs = { unplug: 110, switchover: null, plug: 24, longest: 110 };
    const startedAt = job.createdAt;
    server.world.steps = [aStep(job.id, 'unplug', startedAt, 1_250), aStep(job.id, 'plug', startedAt, 800)];
    const data = { networkGapMs: gapMs, networkGaps: [], returnedAt: startedAt + 2_000, standbyDoubt: null };
    setJob('succeeded', { startedAt, endedAt: startedAt + 4_210, data });
    const { code, out, err } = await drilling;
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('web-1 in a drill on host-a');
    expect(out).toContain('The drill of web-1 went well');
    expect(out).toContain('shift -, unplug 1.25 s, plug 800 ms, return 1.20 s');
    expect(out).toContain('longest network gap 110 ms (unplug 110 ms, plug 24 ms)');
    const later = await handover('guest check web-1');
    expect(later.out).toMatch(/last drill: \S.*, all went well, longest network gap 110 ms/);

    setJob('failed', { error: { code: 'DRILL_FAILED', message: 'nic1 is not plugged again' }, data: {} });
    const failed = await handover('guest check web-1');
    expect(failed.out).toMatch(/last drill: \S.*, failed: nic1 is not plugged again/);
    const again = handover('guest drill web-1 --output json');
    await eventually('the next job', () => server.world.jobs[1]);
    const [, next] = server.world.jobs;
    const error = { code: 'UNPLUG_TIMED_OUT', message: 'the guest keeps nic1' } as const;
    server.world.jobs = [{ ...(next ?? job), state: 'failed', endedAt: startedAt + 1, error }];
    const ended = await again;
    expect([ended.code, ended.err]).toEqual([7, expect.stringContaining('the guest keeps nic1')]);
    expect(JSON.parse(ended.out)).toMatchObject({ vm: 'web-1', state: 'failed', ok: false });
  });

  test('that waits for an operator is given up only on purpose', async () => {
    setJob('needs_operator');
    const id = server.world.jobs[0]?.id ?? '';
    const unsure = await handover(`job abandon ${id}`);
    expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await handover(`job retry ${id}`)).code).toBe(0);
    setJob('needs_operator');
    expect((await handover(`job abandon ${id} --yes`)).code).toBe(0);
    expect(await json<object[]>('job list')).toMatchObject([{ id, state: 'failed' }]);
  });
});
