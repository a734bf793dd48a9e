/** The wire suite against simulated hosts, unchanged: what it finds in them it finds in a real libvirtd. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DEMO_FLEET } from '../../src/simhost/demo-inventory.ts';
import { createSimFleet } from '../../src/simhost/fleet.ts';
import { killLibvirtd } from '../../src/simhost/machine.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { wireSuite } from './wire-suite.ts';

const fleet = createSimFleet({
  clock: systemClock,
  random: seededRandom(1),
  log: silentLog,
  inventory: DEMO_FLEET,
});
const directory = await mkdtemp(join(tmpdir(), 'handover-simhost-'));

afterAll(async () => {
  await fleet.close();
  await rm(directory, { recursive: true, force: true });
});

wireSuite('simulated hosts', async (index) => {
  const name = DEMO_FLEET.hosts[index]?.name ?? '';
  const served = await fleet.serve(name, join(directory, `${name}.sock`));
  return {
    uri: `qemu+unix:///system?socket=${served.path}`,
    peerUri: `qemu+tcp://${name}/system`,
    kill: () => Promise.resolve(killLibvirtd(fleet.host(name), null)),
    stop: () => served.close(),
  };
});
