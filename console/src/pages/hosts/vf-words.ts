/** What a VF is used for, in a letter, a word and a sentence. Pure. */
import type { PfUseView, VfUseView } from '../../../../src/api/types/fleet-view.ts';

/** What a VF can be. */
export type VfState = VfUseView['state'];

/** How a state is shown: the letter in its cell, its word, and what it means. */
export interface VfLook {
  readonly letter: string;
  readonly word: string;
  readonly meaning: string;
}

/** In the order of the legend. */
export const VF_LOOKS: Readonly<Record<VfState, VfLook>> = {
  free: { letter: 'F', word: 'Free', meaning: 'can be given to a VM now' },
  reserved: { letter: 'R', word: 'Reserved', meaning: 'held for a VM that moves, or a vNIC being plugged' },
  attached: { letter: 'A', word: 'Attached', meaning: 'a VM has it' },
  host: { letter: 'H', word: 'Used by the host', meaning: 'the host itself uses its network device' },
  unusable: { letter: 'X', word: 'Unusable', meaning: 'has a foreign driver, or is not alone in its group' },
};

/** The states, in the order of the legend. */
export const VF_STATES = Object.keys(VF_LOOKS) as readonly VfState[];

/** How many there are of each state. */
export function countStates(vfs: readonly VfUseView[]): Readonly<Record<VfState, number>> {
  const counts = { free: 0, reserved: 0, attached: 0, host: 0, unusable: 0 };
  for (const { state } of vfs) counts[state] += 1;
  return counts;
}

/** `6 free, 2 attached`: what there is of. */
export function countsText(counts: Readonly<Record<VfState, number>>): string {
  const there = VF_STATES.filter((state) => counts[state] > 0);
  return there.map((state) => `${counts[state]} ${VF_LOOKS[state].word.toLowerCase()}`).join(', ') || 'none';
}

/** `VF 3, 0000:3b:02.3, attached to web-1`: the name of its cell. */
export const vfName = (vf: VfUseView): string => `VF ${vf.index}, ${vf.pciAddress}, ${vfUseText(vf)}`;

/** What it is used for, without a capital and a stop. */
export function vfUseText({ state, reason, vm, jobId }: VfUseView): string {
  if (state === 'free') return 'free';
  if (state === 'reserved') {
    const why = jobId === null ? 'whose vNIC is being plugged' : 'which is being moved';
    return `reserved for ${vm ?? 'a VM'}, ${why}`;
  }
  return reason ?? VF_LOOKS[state].word.toLowerCase();
}

/** `all networks`, `prod, backup and networks with the label blue`; null: none at all. */
export function allowedText(pf: PfUseView, networkNames: ReadonlyMap<string, string>): string | null {
  if (pf.allNetworksAllowed) return 'all networks';
  const names = pf.networkIds.map((id) => networkNames.get(id) ?? id);
  const labels = pf.labels.length === 1 ? `the label ${pf.labels[0]}` : `the labels ${pf.labels.join(', ')}`;
  const parts = [
    ...(names.length > 0 ? [names.sort().join(', ')] : []),
    ...(pf.labels.length > 0 ? [`networks with ${labels}`] : []),
  ];
  return parts.join(' and ') || null;
}

/** The index to go to with an arrow or Home or End; null: the key is for something else. */
export function movedBy(key: string, from: number, count: number, columns: number): number | null {
  const to: Readonly<Record<string, number>> = {
    ArrowRight: from + 1,
    ArrowLeft: from - 1,
    ArrowDown: from + columns,
    ArrowUp: from - columns,
    Home: 0,
    End: count - 1,
  };
  const index = to[key];
  if (index === undefined) return null;
  return index >= 0 && index < count ? index : from;
}
