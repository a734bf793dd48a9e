/** The long list of VMs: read and sent part by part, it says what it says when it is written as a whole. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { aVm, newId } from '../support/builders.ts';
import type { VmId } from '../../src/base/ids.ts';

const COUNT = 250;

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
  const more = Array.from({ length: COUNT }, (_, at) =>
    aVm({ id: newId<VmId>(), name: `vm-${String(at).padStart(3, '0')}`, hostId: server.hostA.id }),
  );
  server.world.vms = [...more, ...server.world.vms];
});
afterEach(async () => {
  await server.close();
});

test.each(['xml', 'json'] as const)(
  'is the same in %s, sorted as a whole or told in parts',
  async (format) => {
    for (const rest of ['', '&follow=nics,host']) {
      const parts = await server.ask('GET', `vms?search=${rest}`, { format });
      const whole = await server.ask('GET', `vms?search=${encodeURIComponent('sortby name')}${rest}`, {
        format,
      });
      expect(parts.status).toBe(200);
      expect(parts.headers.get('content-length')).toBeNull();
      expect(whole.headers.get('content-length')).not.toBeNull();
      expect(parts.text).toBe(whole.text);
    }
  },
);

test('is told in pages, each following the other, and beyond the last there is nothing', async () => {
  const page = async (query: string) =>
    ((await server.ask('GET', `vms?${query}`)).json<{ vm?: { name: string }[] }>().vm ?? []).map(
      ({ name }) => name,
    );
  const all = await page('');
  expect(all).toHaveLength(COUNT + 1);
  expect(await page('max=120')).toEqual(all.slice(0, 120));
  expect(await page(`search=${encodeURIComponent('page 2')}&max=120`)).toEqual(all.slice(120, 240));
  expect(await page(`search=${encodeURIComponent('page 3')}&max=120`)).toEqual(all.slice(240));
  expect(await page(`search=${encodeURIComponent('page 9')}`)).toEqual([]);
  expect(await page('max=0')).toEqual([]);
  expect(await page(`search=${encodeURIComponent('name=vm-01*')}`)).toHaveLength(10);
});

test('that fails before anything of it was sent is a fault', async () => {
  server.world.failNext = new Error('no database');
  expect((await server.ask('GET', 'vms')).status).toBe(500);
});
