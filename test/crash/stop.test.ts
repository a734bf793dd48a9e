/**
 * SIGSTOP of an engine for longer than its lease, then SIGCONT. Another has its job and its hosts by then;
 * the old owner must not act on any host, however far it had come: it is checked before every call.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { CrashWorld } from '../support/crash/crash-world.ts';
import { type EngineProcess, endSpareEngine } from '../support/crash/engine-process.ts';
import { eventually } from '../support/eventually.ts';
import { connectTo, freshDatabase } from '../support/postgres.ts';
import { aliasOf } from '../support/sim-vms.ts';
import { takeVfOut } from '../support/take-vf-out.ts';

const LEASE_MS = 1_500;

afterAll(endSpareEngine);

const start = async (): Promise<CrashWorld> =>
  CrashWorld.start({ connection: await freshDatabase(), vms: [{ name: 'web-1' }], leaseMs: LEASE_MS });

/** State of the process as the kernel has it. */
const isStopped = ({ pid }: EngineProcess): boolean =>
  /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** What the hosts were told to do, not only asked. */
const ACTING = new RegExp(
  '^(domain(Attach|Detach|Destroy|Undefine|Resume|Create|Define|Abort|SetAutostart|Migrate)' +
    '|nodeDevice(Detach|ReAttach|Reset))',
);

const ownersOfHosts = (world: CrashWorld): Promise<string[]> =>
  connectTo(world.connection, async (client) => {
    const { rows } = await client.query<{ owner: string }>('select owner from host_claims');
    return rows.map((row) => row.owner);
  });

/**
 * Lets the old owner go on, once the other has the hosts, too, and is gone; waits until it works again: its
 * hosts have a new epoch then, so it looks at them.
 */
async function wake(world: CrashWorld, old: EngineProcess, other: EngineProcess): Promise<void> {
  await eventually('the hosts taken over', async () =>
    (await ownersOfHosts(world)).every((owner) => owner.endsWith(`-${other.pid}`)),
  );
  await other.kill();
  const from = world.calls.length;
  old.signal('SIGCONT');
  await eventually('the old owner looking at hosts again', () =>
    world.calls.slice(from).some(({ procedure }) => procedure === 'nodeGetMemoryStats'),
  );
  expect(world.calls.slice(from).filter(({ procedure }) => ACTING.test(procedure))).toEqual([]);
}

describe.concurrent('stopped at', () => {
  test.each([
    'place:given',
    'unplug:before-run',
    'requestUnplug:after',
    'transfer:before-run',
    'migrate:after',
    'plug:before-run',
    'plug:after',
    'release:before-run',
    'setAutostart:after',
  ])('%s and gone on when another has done the job, an engine acts on no host', async (point) => {
    const world = await CrashWorld.start({
      connection: await freshDatabase(),
      vms: [{ name: 'web-1', autostart: true }],
      leaseMs: LEASE_MS,
    });
    const old = await world.engine({ point, then: 'SIGSTOP' });
    const job = await world.migrate('web-1');
    await eventually(`an engine stopped at ${point}`, () => isStopped(old));
    const other = await world.engine();
    const { state } = await world.ended(job);
    if (point !== 'transfer:before-run') expect(state).toBe('succeeded');
    const [host = ''] = world.runsOn('web-1');
    await wake(world, old, other);
    // It works, and does for the next job what the next job needs; an act of the old one would come on top.
    const acts = old.acts.length;
    expect(await world.ended(await world.migrate('web-1'))).toMatchObject({ state: 'succeeded' });
    expect(old.acts.slice(acts).sort()).toEqual(['migrate', 'plug', 'requestUnplug', 'setAutostart']);
    expect(world.runsOn('web-1')).not.toEqual([host]);
    await world.close();
  });

  test('undoing:recorded and gone on when another has undone it, an engine acts on no host', async () => {
    const world = await start();
    const allow = world.fleet.faults.add({
      procedure: 'domainMigratePerform3Params',
      effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed' },
    });
    const old = await world.engine({ point: 'undoing:recorded', then: 'SIGSTOP' });
    const job = await world.migrate('web-1');
    await eventually('an engine stopped', () => isStopped(old));
    const other = await world.engine();
    expect(await world.ended(job)).toMatchObject({ state: 'failed' });
    allow();
    await wake(world, old, other);
    expect(Object.keys(world.vfs('host-a', 'web-1'))).toEqual([aliasOf(0)]);
    await world.close();
  });

  test('hold:taken and gone on when another has plugged, an engine does not plug', async () => {
    const world = await start();
    const old = await world.engine({ point: 'hold:taken', then: 'SIGSTOP' });
    const host = world.fleet.host('host-a');
    const domain = host.domains.get(world.vmId('web-1'));
    if (!domain) throw new Error('web-1 is not on host-a');
    await eventually('the hosts watched', () =>
      world.calls.some((call) => call.procedure === 'nodeGetMemoryStats'),
    );
    await takeVfOut(world, 'host-a', 'web-1');
    await eventually('an engine stopped', () => isStopped(old));
    expect(old.acts).toEqual([]);
    const other = await world.engine();
    await eventually('plugged', () => other.acts.includes('plug') && domain.vfs.size === 1);
    await eventually('known as plugged', async () =>
      (await world.store.vms.get(world.vmId('web-1')))?.vnics.every((vnic) => vnic.actual === 'plugged'),
    );
    await wake(world, old, other);
    expect(old.acts).toEqual([]);
    await world.close();
  });
});
