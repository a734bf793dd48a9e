/** What can be done with a VM as a whole. Each asks first, and says what happens to the traffic. */
import { Button, Content } from '@patternfly/react-core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { changeLifecycle, type LifecycleVerb, removeVm } from './vm-facts.ts';

interface Act {
  readonly verb: string;
  readonly isDanger: boolean;
  /** What follows from it, above all for the traffic. */
  readonly consequences: (vm: VmView) => readonly string[];
  /** What was done, after `VM `. */
  readonly done: string;
  readonly progress: string;
}

const ACTS: Readonly<Record<LifecycleVerb | 'remove', Act>> = {
  start: {
    verb: 'Start',
    isDanger: false,
    consequences: ({ name, host }) => [
      `${name} is started on ${host ?? 'its host'}, with a free VF for every vNIC that should have one. ` +
        'Its traffic begins when the guest is up.',
      'It is not started without one of its VFs: if there is none, the engine says so.',
    ],
    done: 'runs.',
    progress: 'It is being started; that takes some seconds.',
  },
  shutdown: {
    verb: 'Shut down',
    isDanger: false,
    consequences: ({ name }) => [
      `The guest of ${name} is asked to shut down, and may take its time. All of its traffic ends when it ` +
        'does, and its VFs are free for others.',
    ],
    done: 'was asked to shut down.',
    progress: 'The guest is being asked.',
  },
  stop: {
    verb: 'Stop',
    isDanger: true,
    consequences: ({ name }) => [
      `${name} is ended at once, as if its power was cut: what it has not written is lost. All of its ` +
        'traffic ends at once, and its VFs are free for others.',
      'To let the guest end by itself, shut it down instead.',
    ],
    done: 'was stopped.',
    progress: 'It is being stopped.',
  },
  remove: {
    verb: 'Remove',
    isDanger: true,
    consequences: ({ name, host }) => [
      `${name} is down, so no traffic is affected. Its definition is removed from ` +
        `${host ?? 'its hosts'}; its disks stay where they are.`,
    ],
    done: 'was removed.',
    progress: 'It is being removed.',
  },
};

/** The buttons. `onMigrate` opens the dialog of the migration, which asks by itself. */
export function VmActions({ vm, onMigrate }: { readonly vm: VmView; readonly onMigrate: () => void }) {
  const [open, setOpen] = useState<keyof typeof ACTS | null>(null);
  const button = (act: keyof typeof ACTS, variant: 'primary' | 'secondary') => (
    <Button
      variant={variant}
      isDanger={ACTS[act].isDanger}
      aria-haspopup="dialog"
      onClick={() => setOpen(act)}
    >
      {ACTS[act].verb}
    </Button>
  );
  return (
    <>
      {vm.status === 'down' ? (
        <>
          {button('start', 'primary')}
          {button('remove', 'secondary')}
        </>
      ) : (
        <>
          <Button variant="primary" aria-haspopup="dialog" onClick={onMigrate}>
            Migrate...
          </Button>
          {button('shutdown', 'secondary')}
          {button('stop', 'secondary')}
        </>
      )}
      {open !== null && <ActDialog vm={vm} act={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function ActDialog({
  vm,
  act,
  onClose,
}: {
  readonly vm: VmView;
  readonly act: keyof typeof ACTS;
  readonly onClose: () => void;
}) {
  const [, navigate] = useLocation();
  const { verb, isDanger, consequences, done, progress } = ACTS[act];
  return (
    <ConfirmDialog
      title={`${verb} ${vm.name}?`}
      verb={verb}
      isDanger={isDanger}
      progress={progress}
      onClose={onClose}
      onConfirm={async () => {
        if (act === 'remove') {
          await removeVm(vm.id);
          navigate('/vms', { replace: true });
        } else {
          await changeLifecycle(vm.id, act);
        }
        onClose();
        announce(`${vm.name} ${done}`);
      }}
    >
      {consequences(vm).map((text) => (
        <Content key={text} component="p">
          {text}
        </Content>
      ))}
    </ConfirmDialog>
  );
}
