/**
 * The wire suite against `handover-simhost`, unchanged: what it finds in simulated hosts it finds in a real
 * libvirtd.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { SimhostProcess } from '../support/simhost-process.ts';
import { wireSuite } from './wire-suite.ts';

const directory = mkdtempSync(join(tmpdir(), 'handover-simhost-'));
const simhost = await SimhostProcess.start('--directory', directory);

afterAll(async () => {
  await simhost.stop();
  rmSync(directory, { recursive: true });
});

wireSuite('simulated hosts', (index) => {
  const { name, uri, peerUri } = simhost.ready.hosts[index] ?? simhost.host(`of number ${index}`);
  const act = { do: 'killLibvirtd', host: name, restartAfterMs: null };
  return Promise.resolve({
    uri,
    peerUri,
    kill: () => simhost.control<void>({ do: 'act', act }),
    // All hosts are one process, which ends with the file.
    stop: () => Promise.resolve(),
  });
});
