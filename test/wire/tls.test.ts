/**
 * TLS with client certificates against a real daemon: accepted, refused on either side, and the frames
 * within.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { connect, procedures } from '../../src/libvirt/index.ts';
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { CertificateAuthority, type Identity } from '../support/certificates.ts';
import { consoleLog } from '../support/console-log.ts';
import { claimAddress } from '../support/loopback-address.ts';
import { type Libvirtd, startLibvirtd } from '../support/libvirtd.ts';
import { failureOf } from './suite-tools.ts';

await ensureWirePackages(consoleLog);

describe('a TLS connection', () => {
  let directory: string;
  let daemon: Libvirtd;
  let engine: Identity;
  let stranger: Identity;
  let ofAnotherCa: Identity;

  beforeAll(async () => {
    const address = await claimAddress();
    directory = mkdtempSync(join(tmpdir(), 'handover-tls-'));
    const authority = new CertificateAuthority(join(directory, 'ours'), 'test authority');
    engine = authority.issue('engine');
    stranger = authority.issue('stranger');
    ofAnotherCa = new CertificateAuthority(join(directory, 'other'), 'another authority').issue('engine');
    daemon = await startLibvirtd({
      name: 'wire-tls',
      address,
      tls: authority.issue('host', [`IP:${address.ip}`]),
      extraConfig: ['tls_allowed_dn_list = ["O=Handover,CN=engine"]'],
    });
  }, 300_000);
  afterAll(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  const connectAs = (identity: { readonly directory: string }, host = daemon.ip) =>
    connect(`test+tls://${host}/default?pkipath=${identity.directory}`, {
      clock: systemClock,
      log: silentLog,
    });

  test('with the right certificate carries calls, large ones too', async () => {
    const client = await connectAs(engine);
    const { domains } = await client.call(procedures.connectListAllDomains, { needResults: true, flags: 0 });
    expect(domains.map((one) => one.name)).toEqual(['test']);
    const metadata = `<m>${'x'.repeat(1_000_000)}</m>`;
    const args = { dom: domains[0] ?? { name: '', uuid: '', id: 0 }, type: 2, uri: 'u:x', flags: 0 };
    await client.call(procedures.domainSetMetadata, { ...args, key: 'k', metadata });
    const stored = await client.call(procedures.domainGetMetadata, args);
    expect(stored.metadata.length).toBeGreaterThan(1_000_000);
    await client.close();
  });

  test('with a certificate that is not on the list is refused, saying where the list is', async () => {
    const error = await failureOf(connectAs(stranger));
    expect(error).toMatchObject({ code: 'HOST_REFUSED_CREDENTIALS' });
    expect(String(error)).toContain('tls_allowed_dn_list');
  });

  test("with a certificate of another authority does not trust the host's, and says so", async () => {
    expect(await failureOf(connectAs(ofAnotherCa))).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
  });

  test('to a name the certificate is not for is refused', async () => {
    const error = await failureOf(connectAs(engine, 'localhost'));
    expect(error).toMatchObject({
      code: expect.stringMatching(/HOST_KEY_UNKNOWN|HOST_UNREACHABLE/) as string,
    });
  });

  test('without certificates names the missing file', async () => {
    const error = await failureOf(connectAs({ directory: join(directory, 'nothing') }));
    expect(error).toMatchObject({ code: 'HOST_REFUSED_CREDENTIALS' });
    expect(String(error)).toContain(join(directory, 'nothing'));
  });

  test('to a port that speaks something else is unreachable', async () => {
    const uri = `test+tls://${daemon.ip}:16509/default?pkipath=${engine.directory}`;
    const attempt = connect(uri, { clock: systemClock, log: silentLog, openTimeoutMs: 3000 });
    expect(await failureOf(attempt)).toMatchObject({ kind: 'unreachable' });
  });
});
