/**
 * What a real daemon does with slow calls: it reads no more from a connection with five of them. The client's
 * own limit keeps the connection alive meanwhile.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { AFFECT, connect, type Domain, type LibvirtClient, procedures } from '../../src/libvirt/index.ts';
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { eventually } from '../support/eventually.ts';
import { type Libvirtd, startLibvirtd } from '../support/libvirtd.ts';
import { failureOf, PATIENCE_MS, tinyDomain } from './suite-tools.ts';

await ensureWirePackages(consoleLog);

const NIC = `<interface type='ethernet'>
  <mac address='52:54:00:00:00:01'/><target dev='wire-slow'/><model type='e1000'/><alias name='ua-slow'/>
</interface>`;

describe('slow calls', () => {
  let daemon: Libvirtd;
  let client: LibvirtClient;
  let dom: Domain;

  beforeAll(async () => {
    daemon = await startLibvirtd({
      name: 'wire-limits',
      extraConfig: ['keepalive_interval = 1', 'keepalive_count = 3'],
    });
    client = await connect(daemon.unixUri(), {
      clock: systemClock,
      log: silentLog,
      callTimeoutMs: PATIENCE_MS,
    });
    dom = (await client.call(procedures.domainCreateXml, { xml: tinyDomain('wire-limits'), flags: 0 })).dom;
    await client.call(procedures.domainAttachDeviceFlags, { dom, xml: NIC, flags: AFFECT.live });
    await client.call(procedures.domainSuspend, { dom });
  }, 300_000);
  afterAll(async () => {
    await client.close();
    await daemon.stop();
  });

  test('more than the daemon serves at once leave this connection alive and others quick', async () => {
    // A guest that does not run gives nothing back: each of these blocks for seconds, one after the other.
    const detach = () =>
      client.call(procedures.domainDetachDeviceFlags, { dom, xml: NIC, flags: AFFECT.live });
    const slow = Array.from({ length: 5 }, () => failureOf(detach()));
    await eventually('four under way', () => client.inFlight === 4);
    const before = client.pingsAnswered;
    await eventually('pings answered meanwhile', () => client.pingsAnswered >= before + 2);
    expect(client.inFlight).toBe(4);
    const other = await connect(daemon.unixUri(), { clock: systemClock, log: silentLog });
    expect(await other.call(procedures.domainGetState, { dom, flags: 0 })).toMatchObject({ state: 3 });
    await other.close();
    await Promise.all(slow);
    expect(client.isOpen).toBe(true);
    expect(client.inFlight).toBe(0);
  });

  test('past their limit are an unknown outcome, and the connection goes on', async () => {
    const args = { dom, xml: NIC, flags: AFFECT.live };
    const late = client.call(procedures.domainDetachDeviceFlags, args, { timeoutMs: 200 });
    expect(await failureOf(late)).toMatchObject({ code: 'CALL_TIMED_OUT', kind: 'outcome_unknown' });
    expect(client.inFlight).toBe(1);
    expect(await client.call(procedures.domainGetState, { dom, flags: 0 })).toMatchObject({ state: 3 });
    await eventually('the late reply', () => client.inFlight === 0);
    expect(client.isOpen).toBe(true);
  });
});
