/** The control socket of served hosts, and files of fault rules. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { DEMO_FLEET } from '../demo-inventory.ts';
import { createSimFleet, type SimFleet } from '../fleet.ts';
import { readFaults } from './fault-file.ts';
import { type ServedFleet, serveFleet } from './serve-fleet.ts';

describe('the control socket', () => {
  let directory: string;
  let fleet: SimFleet;
  let served: ServedFleet;
  let socket: Socket;
  let answers: AsyncIterator<string>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'simhost-'));
    const clock = systemClock;
    const random = seededRandom(1);
    fleet = createSimFleet({ clock, random, log: silentLog, inventory: DEMO_FLEET });
    served = await serveFleet(fleet, directory, null);
    socket = createConnection({ path: served.control });
    answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  });
  afterEach(async () => {
    socket.destroy();
    await served.close();
    await fleet.close();
    rmSync(directory, { recursive: true });
  });

  async function ask(request: unknown): Promise<unknown> {
    socket.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(String((await answers.next()).value));
  }

  test('adds, lists and takes back rules', async () => {
    const rule = { procedure: 'domainGetState', host: 'host-a', nth: 2, effect: { type: 'hang' } };
    expect(await ask({ id: 1, do: 'addFault', rule })).toEqual({ id: 1, result: 1 });
    expect(await ask({ id: 2, do: 'listFaults' })).toEqual({ id: 2, result: [{ rule, applied: 0 }] });
    expect(fleet.faults.list()).toEqual([{ rule, applied: 0 }]);
    expect(await ask({ id: 3, do: 'removeFault', rule: 1 })).toEqual({ id: 3, result: null });
    expect(fleet.faults.list()).toEqual([]);
    await ask({ id: 4, do: 'addFault', rule });
    expect(await ask({ do: 'clearFaults' })).toEqual({ id: null, result: null });
    expect(fleet.faults.list()).toEqual([]);
  });

  test('acts, and shows what is true then', async () => {
    const act = { do: 'destroy', host: 'host-a', domain: 'db-1' };
    expect(await ask({ id: 1, do: 'act', act })).toEqual({ id: 1, result: null });
    const { result } = (await ask({ id: 2, do: 'state' })) as { result: unknown[] };
    expect(result[0]).toMatchObject({
      name: 'host-a',
      powered: true,
      libvirtdUp: true,
      carrier: { ens1f0: true, ens1f1: true },
      domains: [
        { name: 'web-1', state: 1, job: null, vfs: { 'ua-vf0': '0000:3b:0a.0' }, guest: { running: true } },
        { name: 'db-1', state: 5, live: null, guest: null },
      ],
    });
    expect(result[0]).toHaveProperty('vfs.8', {
      pciAddress: '0000:3b:0a.0',
      pf: 'ens1f1',
      index: 0,
      driver: 'vfio-pci',
      mac: '52:54:00:aa:01:01',
      vlan: 42,
      holder: 'web-1',
    });
  });

  test.each([
    [{ do: 'explode' }, 'INVALID_INPUT', /do: one of addFault, /],
    [{ do: 'act', act: { do: 'crashHost', host: 'nowhere' } }, 'INVALID_INPUT', /act\.host: one of host-a, /],
    [{ do: 'act', act: { do: 'destroy', host: 'host-a', domain: 'x' } }, 'NOT_FOUND', /no domain on host-a/],
    [{ do: 'removeFault', rule: 9 }, 'NOT_FOUND', /number 9/],
  ])('refuses %j', async (request, code, message) => {
    const answer = await ask({ id: 7, ...request });
    expect(answer).toEqual({ id: 7, error: { code, message: expect.stringMatching(message) as string } });
  });

  test('answers a client that says no more, then ends', async () => {
    const act = { do: 'destroy', host: 'host-a', domain: 'db-1' };
    socket.end(`${JSON.stringify({ id: 1, do: 'act', act })}\n`);
    expect(JSON.parse(String((await answers.next()).value))).toEqual({ id: 1, result: null });
    expect((await answers.next()).done).toBe(true);
  });

  test('ends a client that does not speak JSON, and serves the others', async () => {
    const other = createConnection({ path: served.control });
    const ended = new Promise((resolve) => other.on('close', resolve));
    other.write('hello\n');
    await ended;
    expect(await ask({ id: 1, do: 'listFaults' })).toEqual({ id: 1, result: [] });
  });
});

describe('a file of fault rules', () => {
  const read = (...rules: unknown[]) =>
    readFaults('faults.json', JSON.stringify(rules), new Set(['host-a', 'host-b']));
  const procedure = 'domainMigrateFinish3Params';

  test('may hold rules of all kinds', () => {
    const rules = [
      { procedure, host: 'host-b', nth: 1, effect: { type: 'dropReply' } },
      { procedure, delayMs: 500, probability: 0.5 },
      { procedure, effect: { type: 'refuse', libvirtCode: 38, message: 'no' } },
      { event: 'deviceRemoved', maxCount: 1, effect: { type: 'loseEvent' } },
      { bytes: 'sent', nth: 40, effect: { type: 'closeConnection' } },
      { moment: 'switchover', effect: { type: 'act', act: { do: 'crashHost', host: 'host-a' } } },
    ];
    expect(read(...rules)).toEqual(rules);
  });

  test.each([
    [{ effect: { type: 'hang' } }, /\[0\]: one of procedure, event, bytes, moment says/],
    [{ procedure: 'migrate', effect: { type: 'hang' } }, /\[0\]\.procedure: the name of a procedure/],
    [{ procedure, host: 'host-z' }, /\[0\]\.host: one of host-a, host-b is wanted; it is "host-z"/],
    [{ procedure, nth: 1, probability: 0.5 }, /\[0\]: either nth or probability/],
    [{ procedure, effect: { type: 'loseEvent' } }, /\[0\]\.effect\.type: one of refuse, /],
    [{ event: 'lifecycle', delayMs: 5, effect: { type: 'loseEvent' } }, /\[0\]\.delayMs: no such field/],
    [{ moment: 'pivot', effect: { type: 'crashHost' } }, /\[0\]\.moment: one of transferBegins, /],
  ])('%j is refused', (rule, message) => {
    expect(() => read(rule)).toThrow(message);
  });
});
