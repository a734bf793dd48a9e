/** What a vNIC is and how it is, in words. Pure. */
import type { VmView, VnicView } from '../../../../src/api/types/vm-view.ts';

/** What is needed of a VM to tell of its vNICs. */
type Vm = Pick<VmView, 'vnics' | 'status'>;

const ACTUAL_WORDS: Readonly<Record<VnicView['actual'], string>> = {
  plugged: 'plugged',
  unplugged: 'unplugged',
  unplug_pending: 'unplug pending',
  degraded: 'degraded',
};

/** How it really is. */
export const actualWord = (vnic: Pick<VnicView, 'actual'>): string => ACTUAL_WORDS[vnic.actual];

/** True if it is on a VF that a migration has to take out and put in again. */
export const isMoving = (vnic: VnicView): boolean => vnic.passthrough && (vnic.plugged || vnic.vf !== null);

/** True if it can carry the traffic while the VFs are away. */
export const isStandby = (vnic: VnicView): boolean =>
  !vnic.passthrough && vnic.plugged && vnic.actual === 'plugged';

/** `VF`; an ordinary one beside VFs is their standby. */
export function kindWord(vnic: VnicView, vm: Vm): string {
  if (vnic.passthrough) return 'VF';
  return vm.vnics.some((each) => each.passthrough) ? 'standby' : 'ordinary';
}

/** True if it is not as its user wants it, or does not work. */
export const needsAttention = (vnic: VnicView, vm: Vm): boolean =>
  vnic.actual === 'degraded' || vnic.actual === 'unplug_pending' || isOtherThanWanted(vnic, vm);

/** While the VM is down nothing is plugged, and nothing is missing. */
const isOtherThanWanted = (vnic: VnicView, vm: Vm): boolean =>
  vm.status !== 'down' && vnic.plugged === (vnic.actual === 'unplugged');

/** `nic2 VF 3b:02.1`: enough to recognise it, with what is unusual about it. */
export function shortText(vnic: VnicView, vm: Vm): string {
  const address = vnic.vf === null ? '' : ` ${vnic.vf.replace(/^0000:/, '')}`;
  const isUsual = vnic.actual === 'plugged' || (vm.status === 'down' && vnic.plugged);
  const state = isUsual ? '' : ` ${actualWord(vnic)}`;
  return `${vnic.name} ${kindWord(vnic, vm)}${address}${state}`;
}

/** `nic2: VF 0000:3b:02.1, plugged`: all of it. */
export function fullText(vnic: VnicView, vm: Vm): string {
  const address = vnic.vf === null ? '' : ` ${vnic.vf}`;
  const wanted = isOtherThanWanted(vnic, vm) ? ` (wanted: ${vnic.plugged ? 'plugged' : 'unplugged'})` : '';
  return `${vnic.name}: ${kindWord(vnic, vm)}${address}, ${actualWord(vnic)}${wanted}`;
}

/** Names with commas between them, and `and` before the last. */
export function namesText(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
