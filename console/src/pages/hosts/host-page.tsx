/** One host: how it is, what can be done with it, its VFs, its VMs and what was seen on it. */
import { Alert, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { useParams } from 'wouter';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import type { VmPage } from '../../../../src/api/types/vm-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { Link } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { StateLabel, stateWord } from '../../parts/state-label.tsx';
import { useUrlState } from '../../parts/use-url-state.ts';
import { HostActions } from './host-actions.tsx';
import { HostEvents } from './host-events.tsx';
import { HostFacts } from './host-facts.tsx';
import { shownState, useHost, useHostVms } from './host-list.ts';
import { HostVms } from './host-vms.tsx';
import { usePfs } from './pf-list.ts';
import { VfMap } from './vf-map.tsx';
import './hosts.css';

const ABOVE = [{ title: 'Hosts', to: '/hosts' }];

/** The page; `?tab=` and `?dialog=` say what of it is open. */
export default function HostPage() {
  const { id } = useParams<{ id: string }>();
  return <Host key={id} id={id} />;
}

function Host({ id }: { readonly id: string }) {
  const host = useHost(id);
  const vms = useHostVms(id);
  const known = host.data;
  const runningCount = (vms.data?.vms ?? []).filter(({ status }) => status !== 'down').length;
  const state = known === undefined ? null : shownState(known.status, runningCount);
  useAnnouncedState(known?.name ?? '', vms.data === undefined ? null : state);
  return (
    <PageLayout
      title={known?.name ?? 'Host'}
      above={ABOVE}
      {...(state === null ? {} : { state: <StateLabel kind="host" state={state} /> })}
      {...(known === undefined ? {} : { actions: <HostActions host={known} vms={vms} /> })}
    >
      <QueryState query={host} what="the host" rows={10}>
        {(seen) => (
          <>
            <StateReason host={seen} runningCount={runningCount} />
            <HostTabs host={seen} vms={vms} />
          </>
        )}
      </QueryState>
    </PageLayout>
  );
}

/** Reads out that the host is in another state than before; not the one it was found in. */
function useAnnouncedState(name: string, state: string | null): void {
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (before.current !== null && state !== null && before.current !== state) {
      const isBad = state === 'non_responsive';
      announce(`${name}: ${stateWord('host', state)}.`, isBad ? 'danger' : 'info');
    }
    before.current = state ?? before.current;
  }, [name, state]);
}

function StateReason({ host, runningCount }: { readonly host: HostView; readonly runningCount: number }) {
  const { name, status, statusReason } = host;
  if (statusReason !== null) {
    return (
      <Alert
        component="p"
        isInline
        className="host-alert"
        variant={status === 'up' ? 'warning' : 'danger'}
        title={status === 'up' ? `${name} is not well` : `${name} does not answer`}
      >
        {statusReason}
      </Alert>
    );
  }
  if (status !== 'maintenance') return null;
  return (
    <Alert
      component="p"
      isInline
      className="host-alert"
      variant="info"
      title={maintenanceText(name, runningCount)}
    >
      {runningCount > 0 && (
        <>
          Nothing is moved by itself: <Link to={`/vms?host=${host.id}`}>migrate them</Link>.
        </>
      )}
    </Alert>
  );
}

function maintenanceText(name: string, runningCount: number): string {
  if (runningCount === 0) return `${name} is in maintenance: no VM is placed on it.`;
  const still = runningCount === 1 ? 'one still runs' : `${runningCount} still run`;
  return `No VM is placed on ${name} any more, but ${still} there.`;
}

interface HostTabsProps {
  readonly host: HostView;
  readonly vms: UseQueryResult<VmPage>;
}

function HostTabs({ host, vms }: HostTabsProps) {
  const [tab, setTab] = useUrlState('tab');
  const total = vms.data?.total;
  const tabs: readonly (readonly [string, string, () => ReactNode])[] = [
    ['vfs', 'VFs', () => <HostVfs hostId={host.id} />],
    ['vms', total === undefined ? 'VMs' : `VMs (${total})`, () => <HostVms hostId={host.id} vms={vms} />],
    ['facts', 'Facts', () => <HostFacts host={host} />],
    ['events', 'Events', () => <HostEvents hostId={host.id} />],
  ];
  const active = tabs.some(([key]) => key === tab) ? tab : 'vfs';
  return (
    <Tabs
      aria-label={`About ${host.name}`}
      activeKey={active}
      onSelect={(_event, key) => setTab(key === 'vfs' ? '' : String(key))}
      mountOnEnter
      unmountOnExit
    >
      {tabs.map(([key, title, draw]) => (
        <Tab key={key} eventKey={key} title={<TabTitleText>{title}</TabTitleText>}>
          <div className="host-tab">{active === key && draw()}</div>
        </Tab>
      ))}
    </Tabs>
  );
}

function HostVfs({ hostId }: { readonly hostId: string }) {
  const pfs = usePfs(hostId);
  return (
    <QueryState query={pfs} what="the VFs" rows={8}>
      {(all) => <VfMap hostId={hostId} pfs={all} />}
    </QueryState>
  );
}
