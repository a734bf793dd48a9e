/** Whether this host's libvirtd reaches those of the others, and a button to find out again. */
import { Alert, Button, Label, Title } from '@patternfly/react-core';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { Link } from '../../parts/link.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { messageOf } from '../../server/fault.ts';
import { testPeers, useHosts } from './host-list.ts';
import { DataTable } from '../../parts/data-table.tsx';

/** The part of the tab. */
export function PeerTests({ host }: { readonly host: HostView }) {
  const hosts = useHosts();
  const [isWaiting, setIsWaiting] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const test = async () => {
    setIsWaiting(true);
    setFailure(null);
    try {
      await testPeers(host.id);
      announce(`The ways from ${host.name} to the other hosts were tested.`);
    } catch (thrown) {
      setFailure(messageOf(thrown));
    } finally {
      setIsWaiting(false);
    }
  };
  return (
    <>
      <div className="host-part host-part-head">
        <Title headingLevel="h2" size="lg">
          Ways to the other hosts
        </Title>
        <Button variant="secondary" size="sm" isLoading={isWaiting} onClick={() => void test()}>
          Test again
        </Button>
      </div>
      {failure !== null && (
        <div role="alert">
          <Alert component="p" variant="danger" isInline title={failure} />
        </div>
      )}
      <QueryState query={hosts} what="the hosts" rows={3}>
        {(all) => {
          const others = all.filter(({ id }) => id !== host.id);
          return others.length === 0 ? (
            <EmptyState title="There is no other host">VMs can move once a second one is added.</EmptyState>
          ) : (
            <TestTable host={host} others={others} />
          );
        }}
      </QueryState>
    </>
  );
}

function TestTable({
  host,
  others,
}: {
  readonly host: HostView;
  readonly others: readonly { readonly id: string; readonly name: string }[];
}) {
  return (
    <DataTable label="Tests of the ways to the other hosts">
      <Thead>
        <Tr>
          <Th>To</Th>
          <Th>Result</Th>
          <Th>What was said</Th>
          <Th>Tested</Th>
        </Tr>
      </Thead>
      <Tbody>
        {others.map(({ id, name }) => {
          const test = host.peerTests[id];
          return (
            <Tr key={id}>
              <Td dataLabel="To" modifier="nowrap">
                <Link to={`/hosts/${id}`}>{name}</Link>
              </Td>
              <Td dataLabel="Result">
                <div>
                  <Result isOk={test?.ok ?? null} />
                </div>
              </Td>
              <Td dataLabel="What was said" modifier="breakWord">
                {test?.message ?? '-'}
              </Td>
              <Td dataLabel="Tested">{test === undefined ? 'never' : <Time at={test.testedAt} />}</Td>
            </Tr>
          );
        })}
      </Tbody>
    </DataTable>
  );
}

function Result({ isOk }: { readonly isOk: boolean | null }) {
  if (isOk === null) return <Label isCompact>Not tested</Label>;
  return isOk ? (
    <Label isCompact color="green" icon={<CheckCircleIcon />}>
      Reached
    </Label>
  ) : (
    <Label isCompact color="red" icon={<ExclamationCircleIcon />}>
      Not reached
    </Label>
  );
}
