/** The rules of the vNIC profile dialog: what is greyed, why, and what is sent then. */
import { describe, expect, test } from 'vitest';
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';
import { consequence, failoverChoices, fieldsOf, greyed, shownValues, usersOf } from './profile-rules.ts';

const vm = (name: string) => ({ id: name, name });
const profile = (changes: Partial<ProfileView> = {}): ProfileView => ({
  id: 'p',
  name: 'prod-vf',
  description: null,
  networkId: 'n',
  network: 'prod',
  passThrough: true,
  migratable: true,
  portMirroring: false,
  failoverId: null,
  failover: null,
  vmCount: 0,
  vms: [],
  ...changes,
});
const NEW = fieldsOf(null, 'n');
const WITH_VF = { ...NEW, passThrough: true };

describe('with Passthrough off', () => {
  test('Migratable is ticked and greyed, with the reason', () => {
    expect(shownValues({ ...NEW, migratable: false }).migratable).toBe(true);
    expect(greyed(NEW, null).migratable).toContain('Ordinary vNICs always migrate');
  });

  test('the failover is greyed and none; port mirroring is not greyed', () => {
    const why = greyed(NEW, null);
    expect(shownValues({ ...NEW, failoverId: 'x' }).failoverId).toBe('');
    expect([why.failover === null, why.portMirroring]).toEqual([false, null]);
  });
});

describe('with Passthrough on', () => {
  test('Migratable is free and as it was; mirroring, QoS and filter are greyed, with their reasons', () => {
    const why = greyed(WITH_VF, null);
    expect([why.migratable, shownValues({ ...WITH_VF, migratable: false }).migratable]).toEqual([
      null,
      false,
    ]);
    expect(shownValues({ ...WITH_VF, portMirroring: true }).portMirroring).toBe(false);
    for (const name of ['portMirroring', 'qos', 'networkFilter'] as const)
      expect(why[name]).toContain('cannot be set for a passthrough profile');
  });

  test('the failover is free only with Migratable on', () => {
    expect(greyed(WITH_VF, null).failover).toBeNull();
    expect(greyed({ ...WITH_VF, migratable: false }, null).failover).toContain('turn both on');
    expect(shownValues({ ...WITH_VF, migratable: false, failoverId: 'x' }).failoverId).toBe('');
  });
});

describe('a profile that VMs use', () => {
  const used = profile({ vmCount: 2, vms: [vm('web-1'), vm('web-2')] });

  test('has Passthrough, failover and mirroring greyed, naming the VMs, and Migratable free', () => {
    const why = greyed(fieldsOf(used), used);
    expect(why.passThrough).toContain('web-1, web-2');
    expect(why.failover).toContain('web-1, web-2');
    expect(why.migratable).toBeNull();
    const ordinary = { ...used, passThrough: false };
    expect(greyed(fieldsOf(ordinary), ordinary).portMirroring).toContain('web-1, web-2');
  });

  test('says what a change of Migratable means for them', () => {
    const fields = fieldsOf(used);
    expect(consequence(fields, used)).toBeNull();
    expect(consequence({ ...fields, migratable: false }, used)).toContain('can not be migrated');
  });

  test('names five of many', () => {
    const vms = Array.from({ length: 9 }, (_, at) => vm(`v${at}`));
    expect(usersOf({ vms, vmCount: 30 })).toBe('v0, v1, v2, v3, v4 and 25 more');
  });
});

test('the network of a profile that is there is greyed', () => {
  expect(greyed(WITH_VF, null).network).toBeNull();
  expect(greyed(WITH_VF, profile()).network).toContain('cannot be changed');
});

test('only other ordinary profiles can be the failover', () => {
  const ordinary = profile({ id: 'o', passThrough: false });
  expect(failoverChoices([profile(), ordinary, profile({ id: 'v' })], profile())).toEqual([ordinary]);
  expect(failoverChoices([ordinary], ordinary)).toEqual([]);
});
