/** What can be done to simulated hosts beside their clients' calls. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Domain, type LibvirtClient, MIGRATE, procedures } from '../libvirt/index.ts';
import { SimWorld } from '../../test/support/sim-fleet.ts';
import type { SimAct } from './acts.ts';
import type { SimDomain } from './domain.ts';

const RUNNING = 1;
const VF = '0000:3b:0a.0';

describe('an act', () => {
  let world: SimWorld;
  let a: LibvirtClient;
  let web: Domain;

  beforeEach(async () => {
    world = new SimWorld();
    a = await world.watch('host-a');
    web = await world.domain(a, 'web-1');
  });
  afterEach(() => world.close());

  const act = (what: SimAct) => world.run(world.fleet.act(what));
  const onA = { host: 'host-a', domain: 'web-1' };
  const simDomain = (host = 'host-a'): SimDomain | undefined => world.fleet.host(host).domains.get(web.uuid);
  const guest = () => {
    const found = simDomain()?.guest;
    if (!found) throw new Error('no guest');
    return found;
  };
  const lifecycle = () =>
    world.events
      .filter(({ type, dom }) => type === 'lifecycle' && dom === 'web-1')
      .map(({ detail }) => detail);

  test('on something that is not there is refused', async () => {
    for (const what of [
      { do: 'crashHost', host: 'nowhere' },
      { do: 'destroy', host: 'host-a', domain: 'nobody' },
      { do: 'setCarrier', host: 'host-a', pf: 'eth9', up: false },
      { do: 'setGuest', domain: 'batch-1', dirtyMiBps: 1 },
    ] as const)
      await expect(act(what)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('takes a VF for a stranger, unless it is in use', async () => {
    await act({ do: 'stealVf', host: 'host-a', vf: '0000:3b:02.0' });
    expect(world.fleet.host('host-a').hardware.vf('0000:3b:02.0')?.holder?.domain).toBe('stranger-1');
    await expect(act({ do: 'stealVf', host: 'host-a', vf: VF })).rejects.toThrow(/in use/);
    await act({ do: 'destroy', host: 'host-a', domain: 'stranger-1' });
    expect(world.fleet.host('host-a').hardware.vf('0000:3b:02.0')?.holder).toBeNull();
  });

  test('pulls the cable of a PF: the bond of a guest goes on over its standby', async () => {
    const active = () => guest().activeNic()?.passthrough;
    expect(active()).toBe(true);
    await act({ do: 'setCarrier', host: 'host-a', pf: 'ens1f1', up: false });
    expect(active()).toBe(false);
    guest().count();
    const packets = () => guest().nics.find((nic) => nic.passthrough)?.rxPackets;
    const before = packets();
    await world.clock.advance(5000);
    guest().count();
    expect(packets()).toBe(before);
    await act({ do: 'setCarrier', host: 'host-a', pf: 'ens1f1', up: true });
    expect(active()).toBe(true);
  });

  test('takes memory: what does not fit is not started', async () => {
    const free = world.fleet.host('host-c').memoryFreeKiB();
    await act({ do: 'takeMemory', host: 'host-c', memoryKiB: free });
    const c = await world.client('host-c');
    const batch = await world.domain(c, 'batch-1');
    const start = c.call(procedures.domainCreateWithFlags, { dom: batch, flags: 0 });
    await expect(world.run(start)).rejects.toThrow(/Cannot allocate memory/);
  });

  test('reboots a guest: same QEMU, agent anew, and what was asked back is given by the reset', async () => {
    await act({ do: 'setGuest', domain: 'web-1', unplug: { type: 'never' } });
    await world.run(a.call(procedures.domainDetachDeviceAlias, { dom: web, alias: 'ua-vf0', flags: 1 }));
    await world.clock.advance(10_000);
    expect(world.saw('host-a', 'deviceRemoved')).toBe(false);
    await act({ do: 'rebootGuest', ...onA });
    expect(world.saw('host-a', 'deviceRemoved', 'ua-vf0')).toBe(true);
    expect(simDomain()).toMatchObject({ state: RUNNING, id: web.id });
    expect(guest().agentUp).toBe(false);
    await world.until('the agent again', () => guest().agentUp);
    expect(lifecycle()).toEqual([]);
  });

  test('has a guest that hung answer what it was asked meanwhile', async () => {
    await act({ do: 'setGuest', domain: 'web-1', unplug: { type: 'never' } });
    await world.run(a.call(procedures.domainDetachDeviceAlias, { dom: web, alias: 'ua-vf0', flags: 1 }));
    await world.clock.advance(10_000);
    expect(world.saw('host-a', 'deviceRemoved')).toBe(false);
    await act({ do: 'setGuest', domain: 'web-1', unplug: { type: 'answer', minMs: 5, maxMs: 5 } });
    await world.until('the VF out', () => world.saw('host-a', 'deviceRemoved', 'ua-vf0'));
  });

  test.each([
    ['crashGuest', ['8/0', '5/2']],
    ['killQemu', ['5/5']],
    ['destroy', ['5/1']],
    ['shutdown', ['6/1', '5/0']],
  ] as const)('ends a VM by %s', async (what, events) => {
    await act({ do: what, ...onA });
    await world.until('its end', () => simDomain()?.active === false);
    expect(lifecycle()).toEqual(events);
    expect(world.fleet.host('host-a').hardware.vf(VF)?.holder).toBeNull();
  });

  test('undefines, plugs and migrates as somebody with virsh does', async () => {
    await act({ do: 'undefine', ...onA });
    expect(simDomain()?.config).toBeNull();
    const xml = `<interface type='bridge'><source bridge='prod'/><model type='virtio'/></interface>`;
    await act({ do: 'attachDevice', host: 'host-b', domain: 'plain-1', xml });
    await act({ do: 'migrate', host: 'host-b', domain: 'plain-1', to: 'host-c' });
    const named = (host: string) => [...world.fleet.host(host).domains.values()].map(({ name }) => name);
    expect(named('host-b')).toEqual([]);
    expect(named('host-c')).toContain('plain-1');
    await expect(act({ do: 'migrate', ...onA, to: 'host-b' })).rejects.toThrow(/cannot migrate domain/);
  });

  test('makes a migration endless', async () => {
    await world.run(a.call(procedures.domainDetachDeviceAlias, { dom: web, alias: 'ua-vf0', flags: 1 }));
    await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
    await act({ do: 'setGuest', domain: web.uuid, dirtyMiBps: 1e9 });
    const args = {
      dom: web,
      destinationUri: 'qemu+ssh://root@host-b/system',
      params: [],
      cookie: Buffer.alloc(0),
      flags: MIGRATE.live | MIGRATE.peerToPeer | MIGRATE.autoConverge,
    };
    const done = a.call(procedures.domainMigratePerform3Params, args, { timeoutMs: 1_000_000 });
    const outcome = done.catch((error: unknown) => error);
    await world.clock.advance(100_000);
    expect(simDomain()?.transfer?.phase).toBe('sending');
    await world.run(a.call(procedures.domainAbortJob, { dom: web }));
    expect(await world.run(outcome)).toMatchObject({ detail: { libvirtCode: 78 } });
  });
});
