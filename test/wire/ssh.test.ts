/**
 * RPC over the system's ssh, to an sshd that lives beside a real daemon: both helpers, and every way to be
 * refused.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { HandoverError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { connect, procedures } from '../../src/libvirt/index.ts';
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { eventually } from '../support/eventually.ts';
import { claimAddress, type LoopbackAddress } from '../support/loopback-address.ts';
import { type Libvirtd, startLibvirtd } from '../support/libvirtd.ts';
import { failureOf } from './suite-tools.ts';

await ensureWirePackages(consoleLog);

const PORT = 22_022;

describe('a connection by ssh', () => {
  let directory: string;
  let daemon: Libvirtd;
  let address: LoopbackAddress;

  beforeAll(async () => {
    address = await claimAddress();
    directory = mkdtempSync(join(tmpdir(), 'handover-ssh-'));
    for (const key of ['host', 'engine', 'stranger']) newKey(key);
    writeFileSync(join(directory, 'authorized'), readFileSync(join(directory, 'engine.pub')), {
      mode: 0o600,
    });
    writeFileSync(
      join(directory, 'known'),
      `[${address.ip}]:${PORT} ${readFileSync(join(directory, 'host.pub'), 'utf8')}`,
    );
    writeFileSync(join(directory, 'nobody-known'), '');
    writeFileSync(join(directory, 'client-config'), '');
    const sshdConfig = join(directory, 'sshd_config');
    writeFileSync(sshdConfig, sshdLines().join('\n'));
    daemon = await startLibvirtd({ name: 'wire-ssh', address, sshdConfig });
    await eventually(
      'sshd',
      () => spawnSync('ssh-keyscan', ['-p', String(PORT), address.ip]).stdout.length > 0,
    );
  }, 300_000);
  afterAll(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  function newKey(name: string): void {
    const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
    if (made.status !== 0) throw new Error(String(made.stderr));
  }

  function sshdLines(): string[] {
    return [
      `ListenAddress ${address.ip}:${PORT}`,
      `HostKey ${directory}/host`,
      `AuthorizedKeysFile ${directory}/authorized`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'UsePAM no',
      'StrictModes no',
      '',
    ];
  }

  /** The user's own ssh configuration must not matter to a test. */
  const uri = (more = '', keys = { key: 'engine', known: 'known' }) =>
    `test+ssh://root@${address.ip}:${PORT}/default?ssh_config=${directory}/client-config` +
    `&keyfile=${directory}/${keys.key}&known_hosts=${directory}/${keys.known}${more}`;
  const open = (to: string) => connect(to, { clock: systemClock, log: silentLog, openTimeoutMs: 60_000 });

  test.each(['virt-ssh-helper', 'netcat'])('by way of %s carries calls and closes in order', async (way) => {
    const client = await open(uri(way === 'netcat' ? '&socket=/run/libvirt/libvirt-sock' : ''));
    const reasons: (HandoverError | null)[] = [];
    client.onClose((reason) => reasons.push(reason));
    const { domains } = await client.call(procedures.connectListAllDomains, { needResults: true, flags: 0 });
    expect(domains.map((one) => one.name)).toEqual(['test']);
    await Promise.all(Array.from({ length: 20 }, () => client.call(procedures.connectGetUri, {})));
    await client.close();
    expect(reasons).toEqual([null]);
  });

  test('to a host whose key is unknown says so', async () => {
    const error = await failureOf(open(uri('', { key: 'engine', known: 'nobody-known' })));
    expect(error).toMatchObject({ code: 'HOST_KEY_UNKNOWN', detail: { host: address.ip } });
  });

  test('with a key the host does not accept says so', async () => {
    const error = await failureOf(open(uri('', { key: 'stranger', known: 'known' })));
    expect(error).toMatchObject({ code: 'HOST_REFUSED_CREDENTIALS' });
  });

  test('to a port where nobody listens is unreachable, with what ssh said', async () => {
    const error = await failureOf(open(uri().replace(`:${PORT}`, ':1')));
    expect(error).toMatchObject({ code: 'HOST_UNREACHABLE' });
    expect(String(error)).toContain('refused');
  });

  test('to a host without that socket is unreachable, not forever pending', async () => {
    const error = await failureOf(open(uri('&socket=/nowhere/sock')));
    expect(error).toMatchObject({ kind: 'unreachable' });
  });

  test('ends when the daemon is killed', async () => {
    const client = await open(uri());
    const reasons: (HandoverError | null)[] = [];
    client.onClose((reason) => reasons.push(reason));
    await daemon.kill();
    await eventually('end of the connection', () => reasons.length > 0);
    expect(reasons[0]).toMatchObject({ code: 'HOST_UNREACHABLE' });
  });
});
