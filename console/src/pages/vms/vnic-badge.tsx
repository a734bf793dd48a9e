/** A vNIC in a word or two with an icon; the whole for screen readers, and under the mouse. */
import { Label, LabelGroup, type LabelProps } from '@patternfly/react-core';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import MicrochipIcon from '@patternfly/react-icons/dist/esm/icons/microchip-icon';
import NetworkIcon from '@patternfly/react-icons/dist/esm/icons/network-icon';
import PendingIcon from '@patternfly/react-icons/dist/esm/icons/pending-icon';
import UnpluggedIcon from '@patternfly/react-icons/dist/esm/icons/unplugged-icon';
import type { ComponentType } from 'react';
import type { VmView, VnicView } from '../../../../src/api/types/vm-view.ts';
import { fullText, needsAttention, shortText } from './vnic-words.ts';

/** The icon of how it is. */
export function vnicIcon(vnic: VnicView): ComponentType {
  if (vnic.actual === 'degraded') return ExclamationTriangleIcon;
  if (vnic.actual === 'unplug_pending') return PendingIcon;
  if (vnic.actual === 'unplugged') return UnpluggedIcon;
  return vnic.passthrough ? MicrochipIcon : NetworkIcon;
}

function colourOf(vnic: VnicView, vm: VmView): NonNullable<LabelProps['color']> {
  if (needsAttention(vnic, vm)) return 'orange';
  return vnic.passthrough && vnic.actual === 'plugged' ? 'blue' : 'grey';
}

/** One vNIC of `vm`. */
export function VnicBadge({ vnic, vm }: { readonly vnic: VnicView; readonly vm: VmView }) {
  const Icon = vnicIcon(vnic);
  const whole = fullText(vnic, vm);
  return (
    <Label isCompact icon={<Icon />} color={colourOf(vnic, vm)} title={whole}>
      <span aria-hidden="true">{shortText(vnic, vm)}</span>
      <span className="pf-v6-screen-reader">{whole}</span>
    </Label>
  );
}

/** All vNICs of a VM. */
export function VnicBadges({ vm }: { readonly vm: VmView }) {
  if (vm.vnics.length === 0) return 'none';
  return (
    <LabelGroup aria-label={`vNICs of ${vm.name}`} isCompact numLabels={vm.vnics.length}>
      {vm.vnics.map((vnic) => (
        <VnicBadge key={vnic.id} vnic={vnic} vm={vm} />
      ))}
    </LabelGroup>
  );
}
