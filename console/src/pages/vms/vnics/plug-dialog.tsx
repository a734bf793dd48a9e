/** Asks before a vNIC is plugged or unplugged: what happens to the traffic, and how long it takes. */
import { Content, Progress, ProgressMeasureLocation } from '@patternfly/react-core';
import { useEffect, useState } from 'react';
import type { VmView, VnicView } from '../../../../../src/api/types/vm-view.ts';
import { announce } from '../../../parts/announcer.tsx';
import { ConfirmDialog } from '../../../parts/confirm-dialog.tsx';
import { setPlugged, type VnicDialogProps } from '../vm-facts.ts';
import { isMoving, isStandby, namesText } from '../vnic-words.ts';

/** As long as the engine gives a guest that was asked, and itself to plug. */
const UNPLUG_S_MAX = 40;
const PLUG_S_MAX = 120;

/** The dialog of one vNIC. */
export function PlugDialog({ vm, vnic, isPlug, onClose }: VnicDialogProps & { readonly isPlug: boolean }) {
  const verb = isPlug ? 'Plug' : 'Unplug';
  const texts = isPlug ? plugTexts(vm, vnic) : unplugTexts(vm, vnic);
  return (
    <ConfirmDialog
      title={`${verb} ${vnic.name} of ${vm.name}?`}
      verb={verb}
      isDanger={!isPlug}
      progress={
        <Waited
          what={isPlug ? 'Waiting for the guest to have it' : 'Waiting for the guest to give it back'}
          secondsMax={isPlug ? PLUG_S_MAX : UNPLUG_S_MAX}
        />
      }
      onClose={onClose}
      onConfirm={async () => {
        await setPlugged(vm.id, vnic.id, isPlug);
        onClose();
        announce(`${vnic.name} of ${vm.name} was ${isPlug ? 'plugged' : 'unplugged'}.`);
      }}
    >
      {texts.map((text) => (
        <Content key={text} component="p">
          {text}
        </Content>
      ))}
    </ConfirmDialog>
  );
}

function unplugTexts(vm: VmView, vnic: VnicView): readonly string[] {
  const stays = `It stays unplugged, after migrations and starts too, until you plug it again.`;
  if (vm.status === 'down')
    return [`${vm.name} is down, so no traffic is affected: it will start without ${vnic.name}.`, stays];
  return [
    unplugTraffic(vm, vnic),
    `It takes a second or two, and up to ${UNPLUG_S_MAX} s if the guest is slow.`,
    stays,
  ];
}

function unplugTraffic(vm: VmView, vnic: VnicView): string {
  const others = vm.vnics.filter(({ id }) => id !== vnic.id);
  if (vnic.passthrough) {
    const standbys = others.filter(isStandby).map(({ name }) => name);
    return standbys.length > 0
      ? `The traffic of ${vnic.name} goes over the standby ${namesText(standbys)} from then on, if the ` +
          'guest has both in one bond. Its VF is free for others.'
      : `${vm.name} has no standby: the traffic of ${vnic.name} ends. Its VF is free for others.`;
  }
  return others.some(isMoving)
    ? `What runs over ${vnic.name} ends. Without this standby, the next migration will interrupt the ` +
        `traffic of ${vm.name}.`
    : `The traffic of ${vnic.name} ends.`;
}

function plugTexts(vm: VmView, vnic: VnicView): readonly string[] {
  if (vm.status === 'down')
    return [`${vm.name} is down, so no traffic is affected: it will start with ${vnic.name}.`];
  const first = vnic.passthrough
    ? `${vnic.name} gets a free VF of ${vm.host}. A guest that has it in a bond moves its traffic there ` +
      'by itself.'
    : `${vnic.name} is connected to ${vnic.bridge ?? 'its network'} again. Other traffic is not affected.`;
  return [first, `It takes some seconds, with very large guests up to ${PLUG_S_MAX} s.`];
}

/** How long it was waited for, of what may be needed. */
function Waited({ what, secondsMax }: { readonly what: string; readonly secondsMax: number }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  const shown = Math.min(seconds, secondsMax);
  return (
    <Progress
      title={what}
      size="sm"
      value={shown}
      max={secondsMax}
      valueText={`${shown} of ${secondsMax} s`}
      label={`${shown} of ${secondsMax} s`}
      measureLocation={ProgressMeasureLocation.outside}
    />
  );
}
