/** Reaching a simulated host's shell through a socket, as an engine in another process does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import type { SimHostShell } from '../channel.ts';
import { DEMO_FLEET } from '../demo-inventory.ts';
import { createSimFleet, type SimFleet } from '../fleet.ts';
import { bootHost, crashHost, killLibvirtd } from '../machine.ts';
import { simulatedShells } from './channel-client.ts';
import { type ServedFleet, serveFleet } from './serve-fleet.ts';

const LIMIT_MS = 5000;
const LINKS = ['ip', '-j', 'link', 'show'];

describe('the channel of a host in another process', () => {
  let directory: string;
  let fleet: SimFleet;
  let served: ServedFleet;
  let shell: SimHostShell;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'simhost-'));
    fleet = createSimFleet({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLog,
      inventory: DEMO_FLEET,
    });
    served = await serveFleet(fleet, directory, 0);
    const [{ name = '', uri = '' } = {}] = served.hosts;
    const opened = simulatedShells(systemClock, directory)({ name, uri });
    if (!opened) throw new Error('no shell');
    shell = opened;
  });
  afterEach(async () => {
    shell.close();
    await served.close();
    await fleet.close();
    rmSync(directory, { recursive: true });
  });

  test('answers what the host itself would, many commands at once', async () => {
    const inside = await fleet.shell('host-a')?.run(LINKS, LIMIT_MS);
    const answers = await Promise.all(Array.from({ length: 20 }, () => shell.run(LINKS, LIMIT_MS)));
    for (const answer of answers) expect(answer).toEqual(inside);
    expect(await shell.run(['reboot'], LIMIT_MS)).toMatchObject({ exitCode: 127 });
  });

  test('lives on without libvirtd', async () => {
    killLibvirtd(fleet.host('host-a'), null);
    expect(await shell.run(LINKS, LIMIT_MS)).toMatchObject({ exitCode: 0 });
  });

  test('breaks with the power, leaves the outcome open, and is there again after a boot', async () => {
    await shell.run(LINKS, LIMIT_MS);
    const open = shell.run(LINKS, LIMIT_MS).catch((error: unknown) => error);
    // The command is on its way: the socket was open.
    await Promise.resolve();
    crashHost(fleet.host('host-a'));
    expect(await open).toMatchObject({ code: 'REPLY_LOST' });
    await expect(shell.run(LINKS, LIMIT_MS)).rejects.toMatchObject({ code: 'HOST_CHANNEL_UNAVAILABLE' });
    await bootHost(fleet.host('host-a'));
    expect(await shell.run(LINKS, LIMIT_MS)).toMatchObject({ exitCode: 0 });
  });

  test('is not that of hosts elsewhere', () => {
    const open = simulatedShells(systemClock, directory);
    for (const uri of ['qemu:///system', 'qemu+ssh://root@host-a/system', 'qemu:///system?socket=/x/a.sock'])
      expect(open({ name: 'host-a', uri })).toBeNull();
  });

  test('a directory that is served is not served twice', async () => {
    await expect(serveFleet(fleet, directory, null)).rejects.toMatchObject({ code: 'IN_USE' });
    expect(await shell.run(LINKS, LIMIT_MS)).toMatchObject({ exitCode: 0 });
  });
});
