/**
 * Migrates several VMs: a row each with the host it would go to or why it can not be moved. Starts those that
 * can, and says of each what came of it. Handover chooses the hosts, since one move may take what another had
 * in view.
 */
import { Alert, Button, Content, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { MovabilityView } from '../../../../../src/api/types/vm-view.ts';
import { announce } from '../../../parts/announcer.tsx';
import { Link } from '../../../parts/link.tsx';
import { QueryState } from '../../../parts/query-state.tsx';
import { messageOf } from '../../../server/fault.ts';
import { useMovability } from '../vm-list.ts';
import { FIELDS_UNTOUCHED, startMigration } from './plan.ts';
import { ReasonList } from './reason-list.tsx';
import { DataTable } from '../../../parts/data-table.tsx';
import { Dialog } from '../../../parts/dialog.tsx';

const STARTED_AT_ONCE_MAX = 6;
const NONE_CAN = 'None of these VMs can be moved now; each row says why';

type Result =
  | { readonly kind: 'starting' }
  | { readonly kind: 'started'; readonly jobId: string }
  | { readonly kind: 'refused'; readonly message: string };

/** The dialog, open as long as it is there. */
export function MigrateManyDialog({
  vmIds,
  onClose,
  onStarted,
}: {
  readonly vmIds: readonly string[];
  readonly onClose: () => void;
  readonly onStarted: () => void;
}) {
  const movability = useMovability(vmIds);
  const { planned, results, isDone, start } = useStarts(onStarted);
  const movable = [...((planned ?? movability.data)?.values() ?? [])].filter(({ possible }) => possible);
  const isWaiting = planned !== null && !isDone;
  return (
    <Dialog variant="large" onClose={onClose} aria-labelledby="migrate-many-title">
      <ModalHeader
        title={`Migrate ${vmIds.length} VMs`}
        labelId="migrate-many-title"
        description="Handover chooses a host for each as its turn comes; it may be another than the one here."
      />
      {/* Scrolled with the keyboard, too: before the start there is nothing in it to focus. */}
      <ModalBody tabIndex={0} role="region" aria-label="VMs to migrate">
        <Content component="p">
          While a VM has no VF its traffic runs over its standby. Where there is none the traffic is
          interrupted, and its row says so.
        </Content>
        <QueryState query={movability} what="where the VMs can move" rows={vmIds.length}>
          {(known) => <VmRows vmIds={vmIds} known={planned ?? known} results={results} />}
        </QueryState>
        {movability.data !== undefined && movable.length === 0 && (
          <div role="alert">
            <Alert component="h2" variant="danger" isInline title={NONE_CAN} />
          </div>
        )}
      </ModalBody>
      <ModalFooter>
        <Button
          variant="primary"
          isLoading={isWaiting}
          isDisabled={movable.length === 0 || isWaiting}
          onClick={isDone ? onClose : () => void (movability.data && start(movability.data))}
        >
          {isDone ? 'Close' : `Start ${movable.length} ${movable.length === 1 ? 'migration' : 'migrations'}`}
        </Button>
        {!isDone && (
          <Button variant="link" onClick={onClose}>
            {isWaiting ? 'Close' : 'Cancel'}
          </Button>
        )}
      </ModalFooter>
    </Dialog>
  );
}

/** `planned`: what was shown when they were started, which stays; null: they were not. */
function useStarts(onStarted: () => void) {
  const [planned, setPlanned] = useState<ReadonlyMap<string, MovabilityView> | null>(null);
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [isDone, setIsDone] = useState(false);
  const start = async (known: ReadonlyMap<string, MovabilityView>) => {
    const ids = [...known.values()].filter(({ possible }) => possible).map(({ vmId }) => vmId);
    setPlanned(known);
    setResults(new Map(ids.map((id) => [id, { kind: 'starting' }])));
    const started = await startAll(ids, (id, result) =>
      setResults((before) => new Map(before).set(id, result)),
    );
    setIsDone(true);
    if (started > 0) onStarted();
    const text = `${started} of ${ids.length} migrations were started.`;
    announce(text, started < ids.length ? 'warning' : 'success');
  };
  return { planned, results, isDone, start };
}

/** Some at a time; answers how many were started. */
async function startAll(ids: readonly string[], tell: (id: string, result: Result) => void): Promise<number> {
  const waiting = [...ids];
  let started = 0;
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        tell(id, { kind: 'started', jobId: await startMigration(id, FIELDS_UNTOUCHED) });
        started += 1;
      } catch (thrown) {
        tell(id, { kind: 'refused', message: messageOf(thrown) });
      }
    }
  };
  await Promise.all(Array.from({ length: STARTED_AT_ONCE_MAX }, work));
  return started;
}

function VmRows({
  vmIds,
  known,
  results,
}: {
  readonly vmIds: readonly string[];
  readonly known: ReadonlyMap<string, MovabilityView>;
  readonly results: ReadonlyMap<string, Result>;
}) {
  return (
    <DataTable label="VMs to migrate">
      <Thead>
        <Tr>
          <Th width={20}>VM</Th>
          <Th width={15}>From</Th>
          <Th>To</Th>
          <Th width={30}>Result</Th>
        </Tr>
      </Thead>
      <Tbody>
        {vmIds.map((id) => {
          const movability = known.get(id);
          return (
            <Tr key={id}>
              <Td dataLabel="VM" modifier="breakWord">
                {movability?.vm ?? id}
              </Td>
              <Td dataLabel="From">{movability?.source ?? '-'}</Td>
              <Td dataLabel="To" modifier="breakWord">
                {movability === undefined ? (
                  'This VM is not there any more.'
                ) : (
                  <Destination {...movability} />
                )}
              </Td>
              <Td dataLabel="Result" modifier="breakWord">
                <ResultText result={results.get(id)} vm={movability?.vm ?? id} />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </DataTable>
  );
}

function Destination({ possible, chosen, why, warnings }: MovabilityView) {
  if (!possible) return <ReasonList kind="refusal" reasons={[{ code: 'why', message: why ?? '' }]} />;
  return (
    <>
      {chosen}
      <ReasonList kind="warning" reasons={warnings.map((message) => ({ code: '', message }))} />
    </>
  );
}

function ResultText({ result, vm }: { readonly result: Result | undefined; readonly vm: string }) {
  if (result === undefined) return '-';
  if (result.kind === 'starting') return 'Starting';
  if (result.kind === 'refused')
    return <ReasonList kind="refusal" reasons={[{ code: 'refused', message: result.message }]} />;
  return (
    <>
      Started: <Link to={`/jobs/${result.jobId}`}>job of {vm}</Link>
    </>
  );
}
