/** What an inventory file may say, and how mistakes in it are told. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { DEMO_FLEET } from '../demo-inventory.ts';
import { createSimFleet } from '../fleet.ts';
import { ORDINARY_GUEST } from '../inventory.ts';
import { readFaults } from './fault-file.ts';
import { readInventory } from './inventory-file.ts';

const HOST = { name: 'one', uuid: '0c0ffee0-0000-4000-8000-000000000001' };
const PF = {
  name: 'ens1f0',
  pciAddress: '0000:3b:00.0',
  mac: '3c:fd:fe:00:00:01',
  vfCount: 4,
  firstVf: '0000:3b:02.0',
};
const DOMAIN = { host: 'one', xml: '<domain/>' };

const read = (value: unknown) => readInventory('fleet.json', JSON.stringify(value));

/** The examples of the reference, in order: readiness line, inventory, fault rules. */
const examples = [
  ...readFileSync(new URL('../../../docs/reference/simhost.md', import.meta.url), 'utf8').matchAll(
    /```json\n([^`]*)```/g,
  ),
].map(([, text = '']) => text);

test('the examples of the documentation are what they say', () => {
  const inventory = readInventory('example', examples[1] ?? '');
  const fleet = createSimFleet({ clock: systemClock, random: seededRandom(1), log: silentLog, inventory });
  expect([...fleet.host('one').domains.values()].map(({ state }) => state)).toEqual([1]);
  expect(readFaults('example', examples[2] ?? '', new Set(['host-a', 'host-b']))).toHaveLength(5);
});

describe('an inventory file', () => {
  test('may be the whole of an inventory', () => {
    expect(read(DEMO_FLEET)).toEqual(DEMO_FLEET);
  });

  test('needs little: the rest is as in the demo', () => {
    const spec = read({ hosts: [{ ...HOST, pfs: [PF] }], domains: [DOMAIN] });
    expect(spec.hosts[0]).toMatchObject({ name: 'one', libvirtVersion: 11_003_000, bridges: [] });
    expect(spec.hosts[0]?.pfs[0]).toMatchObject({ vfCount: 4, driver: 'i40e', carrier: true });
    expect(spec.domains[0]).toMatchObject({ running: true, guest: ORDINARY_GUEST });
  });

  test.each([
    ['{', /fleet\.json is no JSON/],
    [{}, /hosts: a list is wanted; it is missing/],
    [{ hosts: [] }, /hosts: at least one/],
    [{ hosts: [HOST, HOST] }, /hosts: one is given to two/],
    [{ hosts: [{ ...HOST, pfs: [{ ...PF, vfCount: 'all' }] }] }, /hosts\[0\]\.pfs\[0\]\.vfCount: .*"all"/],
    [{ hosts: [{ ...HOST, pfs: [{ ...PF, vfCountMax: 2 }] }] }, /vfCount: more than its vfCountMax/],
    [{ hosts: [{ ...HOST, colour: 1 }] }, /hosts\[0\]\.colour: no such field; known are name, uuid/],
    [{ hosts: [HOST], domains: [{ ...DOMAIN, host: 'two' }] }, /domains\[0\]\.host: no host is called two/],
    [
      { hosts: [HOST], domains: [{ ...DOMAIN, guest: { unplug: { type: 'maybe' } } }] },
      /domains\[0\]\.guest\.unplug\.type: one of answer, never, refuse is wanted; it is "maybe"/,
    ],
  ])('that is wrong is refused with the place: %j', (value, message) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => readInventory('fleet.json', text)).toThrow(message);
  });
});
