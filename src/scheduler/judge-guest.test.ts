/** What is said of a guest's standby. */
import { expect, test } from 'vitest';
import { aStandby, aVm, aVnic } from '../../test/support/builders.ts';
import type { GuestBond, GuestLeg, GuestNetwork } from '../model/guest-network.ts';
import { judgeGuest } from './judge-guest.ts';

const [vf, standby] = [aVnic(1), aStandby(2)];
const VM = aVm({ vnics: [vf, standby] });
const VF_LEG: GuestLeg = {
  name: 'ens8',
  mac: vf.mac,
  driver: 'iavf',
  onPciFunction: true,
  up: true,
  rxPackets: 9,
};
const STANDBY_LEG: GuestLeg = {
  ...VF_LEG,
  name: 'ens3',
  mac: standby.mac,
  driver: 'virtio_net',
  onPciFunction: false,
};
const BOND: GuestBond = {
  name: 'bond0',
  activeBackup: true,
  active: 'ens8',
  primary: 'ens8',
  miimonMs: 100,
  upDelayMs: 0,
  legs: [STANDBY_LEG, VF_LEG],
};
const seen = (name: string, mac: string, hasAddress = false) => ({
  name,
  mac: mac as typeof vf.mac,
  hasAddress,
  rxPackets: null,
});
const LEGS = [seen('ens3', standby.mac), seen('ens8', vf.mac)];

function judged(bonds: readonly GuestBond[] | null, more: Partial<GuestNetwork> = {}, vm = VM) {
  const network = { interfaces: LEGS, bonds, mayRun: true, conflicts: null, ...more };
  const { standby: state, findings, pairs } = judgeGuest({ vm, network, vhostQueues: null, now: 0 });
  return { state, codes: findings.map(({ code }) => code), findings, pairs };
}
const withLeg = (leg: Partial<GuestLeg>, bond: Partial<GuestBond> = {}) =>
  judged([{ ...BOND, ...bond, legs: [{ ...STANDBY_LEG, ...leg }, VF_LEG] }]);

test('a bond of the VF and a standby that is up is ready, and says which', () => {
  const { state, codes, pairs } = judged([BOND]);
  expect([state, codes]).toEqual(['ready', ['bonded']]);
  expect(pairs).toEqual([{ vnicId: vf.id, bond: 'bond0', vf: 'ens8', standby: 'ens3' }]);
});

test('legs with one MAC are told by what they sit on', () => {
  const vm = aVm({ vnics: [vf, { ...standby, mac: vf.mac }] });
  const legs = [{ ...STANDBY_LEG, mac: vf.mac }, VF_LEG];
  expect(judged([{ ...BOND, legs }], {}, vm).pairs).toMatchObject([{ vf: 'ens8', standby: 'ens3' }]);
});

test('no bond, a bond without standby and a standby that is down are missing, with what to do', () => {
  expect(judged([])).toMatchObject({ state: 'missing', codes: ['no_bond'] });
  expect(judged([{ ...BOND, legs: [VF_LEG] }])).toMatchObject({ codes: ['standby_not_in_bond'] });
  expect(withLeg({ up: false })).toMatchObject({ state: 'missing', codes: ['standby_down'] });
  for (const { findings } of [judged([]), withLeg({ up: false })]) expect(findings[0]?.fix).toBeTruthy();
});

test('a VM without an ordinary vNIC has no standby, whatever its agent says', () => {
  const vm = aVm({ vnics: [vf] });
  const { standby: state, findings } = judgeGuest({ vm, network: null, vhostQueues: null, now: 0 });
  expect([state, findings.map(({ code }) => code)]).toEqual(['missing', ['no_standby_vnic']]);
});

test('one without a VF needs none', () => {
  const vm = aVm({ vnics: [standby] });
  expect(judgeGuest({ vm, network: null, vhostQueues: null, now: 0 }).standby).toBe('not_needed');
});

test('a standby that never received anything is unknown, not ready', () => {
  expect(withLeg({ rxPackets: 0 })).toMatchObject({ state: 'unknown', codes: ['standby_silent'] });
});

test('a VF that is down, not primary or not active is warned of, and the standby is ready', () => {
  expect(withLeg({}, { primary: null })).toMatchObject({
    state: 'ready',
    codes: ['bonded', 'vf_not_primary'],
  });
  expect(withLeg({}, { active: 'ens3' })).toMatchObject({ codes: ['bonded', 'vf_not_active'] });
  expect(withLeg({}, { activeBackup: false })).toMatchObject({ codes: ['bonded', 'not_active_backup'] });
  expect(judged([{ ...BOND, active: 'ens3', legs: [STANDBY_LEG, { ...VF_LEG, up: false }] }])).toMatchObject({
    codes: ['bonded', 'vf_down'],
  });
});

test('without an agent, and with one that may read no files, it is unknown and never missing', () => {
  const none = judgeGuest({ vm: VM, network: null, vhostQueues: null, now: 0 });
  expect([none.standby, none.findings[0]?.code]).toEqual(['unknown', 'no_agent']);
  expect(judged(null)).toMatchObject({ state: 'unknown', codes: ['files_refused'] });
  const bonded = judged(null, { interfaces: [...LEGS, seen('bond0', vf.mac, true)], mayRun: false });
  expect(bonded).toMatchObject({ state: 'unknown', codes: ['files_refused', 'commands_refused'] });
  expect(bonded.findings[0]?.message).toMatch(/the VF carries traffic/);
});

test('where no files are read, a VF with an address of its own is in no bond', () => {
  const interfaces = [seen('ens3', standby.mac), seen('ens8', vf.mac, true)];
  expect(judged(null, { interfaces })).toMatchObject({ state: 'missing', codes: ['no_bond'] });
  expect(judged(null, { interfaces: [seen('ens3', standby.mac)] })).toMatchObject({ codes: ['vf_not_seen'] });
});

test('a standby that QEMU serves itself is warned of', () => {
  const network = { interfaces: LEGS, bonds: [BOND], mayRun: true, conflicts: null };
  const { findings } = judgeGuest({ vm: VM, network, vhostQueues: 0, now: 0 });
  expect(findings.map(({ code }) => code)).toEqual(['bonded', 'no_vhost']);
  const served = judgeGuest({ vm: VM, network, vhostQueues: 1, now: 0 });
  expect(served.findings.map(({ code }) => code)).toEqual(['bonded']);
});

test('what the guest kit says to be in the way is warned of', () => {
  const conflicts = ['/etc/cloud: cloud-init configures the network at each boot'];
  const { findings } = judgeGuest({
    vm: VM,
    network: { interfaces: LEGS, bonds: [BOND], mayRun: true, conflicts },
    vhostQueues: null,
    now: 0,
  });
  expect(findings.map(({ code, message }) => [code, message])).toEqual([
    ['bonded', expect.anything()],
    ['conflict', expect.stringMatching(/fight over the bond: \/etc\/cloud: cloud-init/)],
  ]);
});

test('of several VFs the worst counts', () => {
  const second = aVnic(3);
  const vm = aVm({ vnics: [vf, standby, second] });
  const { state, codes } = judged([BOND], { interfaces: [...LEGS, seen('ens9', second.mac)] }, vm);
  expect([state, codes]).toEqual(['missing', ['bonded', 'no_bond']]);
});
