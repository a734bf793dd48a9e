/**
 * One VM: its state and what can be done with it, vNICs, whether it can be moved, what was and what happened.
 */
import {
  Alert,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { useParams } from 'wouter';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { useUrlDialog } from '../../parts/use-url-state.ts';
import { MigrateFromUrl } from './migrate/migrate-from-url.tsx';
import { Readiness } from './readiness.tsx';
import { Section } from '../../parts/section.tsx';
import { VmActions } from './vm-actions.tsx';
import { VmEvents } from './vm-events.tsx';
import { useVm } from './vm-facts.ts';
import { VmHistory } from './vm-history.tsx';
import './vms.css';
import { VnicSection } from './vnics/vnic-section.tsx';

/** The page. */
export default function VmPage() {
  const { id = '' } = useParams<{ readonly id: string }>();
  return <OneVm key={id} id={id} />;
}

function OneVm({ id }: { readonly id: string }) {
  const vm = useVm(id);
  const dialog = useUrlDialog('migrate');
  const known = vm.data;
  return (
    <PageLayout
      title={known?.name ?? 'VM'}
      above={[{ title: 'VMs', to: '/vms' }]}
      {...(known === undefined
        ? {}
        : {
            state: <StateLabel kind="vm" state={known.status} />,
            actions: <VmActions vm={known} onMigrate={() => dialog.open(id)} />,
          })}
    >
      <QueryState query={vm} what="the VM" rows={12}>
        {(shown) => (
          <div className="sections">
            <Notices vm={shown} />
            <Facts vm={shown} />
            <VnicSection vm={shown} />
            <Readiness vm={shown} />
            <VmHistory vm={shown} />
            <VmEvents vm={shown} />
          </div>
        )}
      </QueryState>
      <MigrateFromUrl dialog={dialog} onStarted={() => undefined} />
    </PageLayout>
  );
}

function Notices({ vm }: { readonly vm: VmView }) {
  const isMoving = vm.status === 'migrating';
  return (
    <div role="status" className="notices">
      {vm.jobId !== null && (
        <Alert
          component="h2"
          variant="info"
          isInline
          title={isMoving ? `${vm.name} is being moved` : `A job of ${vm.name} is not over`}
        >
          <Link to={`/jobs/${vm.jobId}`}>See how {isMoving ? 'its migration' : 'it'} goes</Link>
        </Alert>
      )}
      {vm.starting && <Alert component="h2" variant="info" isInline title={`${vm.name} is being started`} />}
      {vm.staleOn.length > 0 && (
        <Alert
          component="h2"
          variant="warning"
          isInline
          title={`${vm.name} is also defined on ${vm.staleOn.join(', ')}`}
        >
          That second definition is stale, and Handover never starts it. Remove it there:{' '}
          <code>virsh undefine {vm.name}</code>
        </Alert>
      )}
    </div>
  );
}

const AGENT_WORDS = new Map([
  [true, 'answers'],
  [false, 'does not answer: traffic is not moved to the standby before the unplug'],
]);

function Facts({ vm }: { readonly vm: VmView }) {
  const agent = vm.agent === null ? undefined : AGENT_WORDS.get(vm.agent);
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Host', vm.hostId === null ? 'none' : <Link to={`/hosts/${vm.hostId}`}>{vm.host}</Link>],
    ['Memory', `${(vm.memoryKiB / 1024 ** 2).toLocaleString('en-GB', { maximumFractionDigits: 1 })} GiB`],
    ['vCPUs', vm.vcpus],
    ['Guest agent', agent ?? 'not known'],
  ];
  return (
    <Section title="About it">
      <DescriptionList isHorizontal isCompact columnModifier={{ xl: '2Col' }}>
        {facts.map(([term, value]) => (
          <DescriptionListGroup key={term}>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{value}</DescriptionListDescription>
          </DescriptionListGroup>
        ))}
      </DescriptionList>
    </Section>
  );
}
