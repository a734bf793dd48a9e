/** What a migration says of traffic on the VF, of guests with a bond over standby and VF. */
import { afterEach, expect, test, vi } from 'vitest';
import { MigrationWorld } from '../support/migration-world.ts';

let world: MigrationWorld;
afterEach(() => world.close());

const verdict = async (): Promise<string | null> => {
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded', error: null });
  // After it comes what the bond sends over.
  return (await world.begun(job, 'verify')).message?.split('; bond0 ')[0] ?? null;
};
const vnicName = async (): Promise<string | undefined> => (await world.vnics('web-1'))[0]?.name;

test('the VF in a bond is verified, although the guest agent does not tell its counters', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
  expect(await verdict()).toBe(`${await vnicName()} verified`);
  expect(world.guest('web-1').agentFiles.size).toBe(0);
});

test('a standby with the MAC of the VF does not keep it from being verified', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', oneMac: true }] });
  expect(await verdict()).toBe(`${await vnicName()} verified`);
});

test('a VF that no packet reaches is unverified, whatever a standby with its MAC receives', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', oneMac: true }] });
  world.guest('web-1').vfTrouble = 'deaf';
  expect(await verdict()).toBe(`${await vnicName()} unverified: nothing was received on ens8 in 15 s`);
});

test.each([false, true])(
  'a VF that the guest has no interface of is degraded and there is an alert (one MAC: %s)',
  async (oneMac) => {
    world = await MigrationWorld.start({ vms: [{ name: 'web-1', oneMac }] });
    world.allowed.notPlugged.add('web-1');
    world.guest('web-1').vfTrouble = 'no_driver';
    expect(await verdict()).toBe(`${await vnicName()} degraded`);
    expect(await world.alerts()).toEqual([expect.stringContaining('check the VF driver in the guest')]);
  },
);

test('an agent that refuses files leaves the VF unverified at once, and it says what to allow', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
  world.guest('web-1').agentRefuses.add('guest-file-open');
  const looks = vi.spyOn(world.guest('web-1'), 'interfaces');
  const asked = vi.spyOn(world.guest('web-1'), 'askUnplug');
  expect(await verdict()).toBe(
    `${await vnicName()} unverified: the guest agent does not tell the counters of ens8 (guest-file ` +
      `commands refused: allow guest-file-open, guest-file-read, guest-file-close in the guest agent's ` +
      `configuration)`,
  );
  // One or two before its link is up, two that are told nothing; the whole time is fifteen.
  const [unplugged = 0] = asked.mock.invocationCallOrder;
  const after = looks.mock.invocationCallOrder.filter((order) => order > unplugged);
  expect(after.length).toBeLessThanOrEqual(4);
});

test('an agent that refuses files does not tell which of two with its MAC is the VF', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', oneMac: true }] });
  world.guest('web-1').agentRefuses.add('guest-file-open');
  expect(await verdict()).toContain(
    'unverified: the guest agent does not tell whether ens3 or ens8 is the VF',
  );
});

test('a guest without an agent is unverified, and it is not waited for', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', guest: { agent: false } }] });
  const calls = vi.spyOn(world.fleet.faults, 'ofCall');
  expect(await verdict()).toBe(`${await vnicName()} unverified: no guest agent answers`);
  expect(calls.mock.calls.filter(([procedure]) => procedure === 'qemuAgentCommand')).toHaveLength(1);
});
