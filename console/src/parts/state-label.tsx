/**
 * The state of a job, its steps, a host or a VM, or a severity: a word with an icon, never a colour alone. A
 * state that is not in the table is shown by its own word.
 */
import { Label, type LabelProps } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import HourglassHalfIcon from '@patternfly/react-icons/dist/esm/icons/hourglass-half-icon';
import InProgressIcon from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import InfoCircleIcon from '@patternfly/react-icons/dist/esm/icons/info-circle-icon';
import MinusCircleIcon from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon';
import OutlinedCircleIcon from '@patternfly/react-icons/dist/esm/icons/outlined-circle-icon';
import PauseCircleIcon from '@patternfly/react-icons/dist/esm/icons/pause-circle-icon';
import PendingIcon from '@patternfly/react-icons/dist/esm/icons/pending-icon';
import PowerOffIcon from '@patternfly/react-icons/dist/esm/icons/power-off-icon';
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import UndoIcon from '@patternfly/react-icons/dist/esm/icons/undo-icon';
import UnlinkIcon from '@patternfly/react-icons/dist/esm/icons/unlink-icon';
import WrenchIcon from '@patternfly/react-icons/dist/esm/icons/wrench-icon';
import type { ComponentType } from 'react';

interface Look {
  readonly word: string;
  readonly icon: ComponentType;
  readonly colour: NonNullable<LabelProps['color']>;
}

const look = (word: string, icon: ComponentType, colour: Look['colour'] = 'grey'): Look => ({
  word,
  icon,
  colour,
});

const LOOKS: Readonly<Record<Kind, Readonly<Record<string, Look>>>> = {
  job: {
    queued: look('Queued', PendingIcon),
    running: look('Running', InProgressIcon, 'blue'),
    undoing: look('Undoing', UndoIcon, 'orange'),
    succeeded: look('Succeeded', CheckCircleIcon, 'green'),
    failed: look('Failed', ExclamationCircleIcon, 'red'),
    cancelled: look('Cancelled', BanIcon),
    needs_operator: look('Needs you', ExclamationTriangleIcon, 'orange'),
  },
  step: {
    pending: look('Pending', OutlinedCircleIcon),
    waiting: look('Waiting', HourglassHalfIcon, 'blue'),
    started: look('Running', InProgressIcon, 'blue'),
    finished: look('Done', CheckCircleIcon, 'green'),
    failed: look('Failed', ExclamationCircleIcon, 'red'),
    skipped: look('Skipped', MinusCircleIcon),
    undoing: look('Taking back', UndoIcon, 'orange'),
    undone: look('Taken back', UndoIcon),
    unreached: look('Not reached', BanIcon),
  },
  host: {
    connecting: look('Connecting', InProgressIcon, 'blue'),
    up: look('Up', CheckCircleIcon, 'green'),
    non_responsive: look('Non responsive', UnlinkIcon, 'red'),
    maintenance: look('Maintenance', WrenchIcon, 'orange'),
    preparing_for_maintenance: look('Preparing for maintenance', WrenchIcon, 'orange'),
  },
  vm: {
    up: look('Up', CheckCircleIcon, 'green'),
    down: look('Down', PowerOffIcon),
    paused: look('Paused', PauseCircleIcon, 'orange'),
    migrating: look('Migrating', InProgressIcon, 'blue'),
    powering_down: look('Powering down', PowerOffIcon, 'blue'),
    unknown: look('Unknown', QuestionCircleIcon),
    not_responding: look('Not responding', UnlinkIcon, 'red'),
  },
  severity: {
    normal: look('Normal', InfoCircleIcon),
    warning: look('Warning', ExclamationTriangleIcon, 'orange'),
    error: look('Error', ExclamationCircleIcon, 'red'),
    alert: look('Alert', ExclamationCircleIcon, 'red'),
  },
};

type Kind = 'job' | 'step' | 'host' | 'vm' | 'severity';

/** The label. `kind` says whose states they are. */
export function StateLabel({ kind, state }: { readonly kind: Kind; readonly state: string }) {
  const { word, icon: Icon, colour } = LOOKS[kind][state] ?? look(state, QuestionCircleIcon);
  return (
    <Label icon={<Icon />} color={colour} isCompact>
      {word}
    </Label>
  );
}

/** The word alone, for texts and filters. */
export const stateWord = (kind: Kind, state: string): string => LOOKS[kind][state]?.word ?? state;
