/** The checkers of the promises see what they are there for. */
import { expect, test } from 'vitest';
import { failureOf, MigrationWorld } from '../support/migration-world.ts';
import { vfOf } from '../support/sim-vms.ts';

test('a MAC on two links, a VF left dirty and a lost autostart are seen', async () => {
  const world = await MigrationWorld.start({ vms: [{ name: 'web-1', autostart: true }] });
  const [mac = ''] = (await world.vnics('web-1')).map((vnic) => vnic.mac);
  const vf = world.host('host-b').hardware.vf(vfOf(3));
  const domain = world.domain('host-a', 'web-1');
  if (!vf || !domain) throw new Error('the world is not as expected');
  vf.mac = mac;
  domain.autostart = false;
  world.host('host-a').emitLifecycle(domain, 'redefined');
  const { message } = await failureOf(world.close(500));
  expect(message).toContain(`${mac} was on host-a ${vfOf(0)} and on host-b ${vfOf(3)}`);
  expect(message).toContain(`VF ${vfOf(3)} of host-b is free with MAC ${mac}`);
  expect(message).toContain('autostart of web-1 is false');
});
