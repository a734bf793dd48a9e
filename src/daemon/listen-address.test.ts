/** A port that cannot be had is said plainly, and before the engine starts anything else. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/log.ts';
import { readConfig } from './config.ts';
import { startEngine } from './engine.ts';
import { checkListenAddress } from './listen-address.ts';

let other: Server;
let port: number;
beforeEach(async () => {
  other = createServer();
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  port = (other.address() as { port: number }).port;
});
afterEach(() => void other.close());

const inUse = () => ({
  code: 'IN_USE',
  message:
    `port ${port} of 127.0.0.1 is in use by another program; choose another with --port, or --port 0 for a ` +
    `free one`,
});

test('a port that another program has is said, and one that is free stays free', async () => {
  await expect(checkListenAddress('127.0.0.1', port)).rejects.toMatchObject(inUse());
  await new Promise((resolve) => void other.close(resolve));
  await checkListenAddress('127.0.0.1', port);
  await checkListenAddress('127.0.0.1', port);
});

test('an address that is not of this machine is a mistake in the options', async () => {
  await expect(checkListenAddress('192.0.2.1', 8080)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('--listen') as string,
  });
});

test('an engine whose port is taken starts nothing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'handover-port-'));
  try {
    const config = readConfig(['--data', dataDir, '--port', String(port)], {}, 'test');
    await expect(startEngine(config, silentLog)).rejects.toMatchObject(inUse());
    expect(readdirSync(dataDir)).toEqual([]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
