/** The table of all hosts. */
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { HostSummaryView } from '../../../../src/api/types/fleet-view.ts';
import { FreeBar } from '../../parts/free-bar.tsx';
import { Link } from '../../parts/link.tsx';
import { memoryText } from '../../parts/size-texts.ts';
import { StateLabel } from '../../parts/state-label.tsx';
import { Time } from '../../parts/time.tsx';
import { shownState } from './host-list.ts';
import './hosts.css';
import { DataTable } from '../../parts/data-table.tsx';
import { RowActions } from '../../parts/row-actions.tsx';

/** The table. */
export function HostTable({
  hosts,
  onRemove,
}: {
  readonly hosts: readonly HostSummaryView[];
  readonly onRemove: (host: HostSummaryView) => void;
}) {
  return (
    <DataTable label="Hosts" gridBreakPoint="grid-xl">
      <Thead>
        <Tr>
          <Th>Name</Th>
          <Th>State</Th>
          <Th>VMs</Th>
          <Th>VFs</Th>
          <Th modifier="nowrap">Migrations</Th>
          <Th>Memory</Th>
          <Th modifier="nowrap">Last seen</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {hosts.map((host) => (
          <HostRow key={host.id} host={host} onRemove={onRemove} />
        ))}
      </Tbody>
    </DataTable>
  );
}

function HostRow({
  host,
  onRemove,
}: {
  readonly host: HostSummaryView;
  readonly onRemove: (host: HostSummaryView) => void;
}) {
  return (
    <Tr>
      <Td dataLabel="Name" modifier="breakWord">
        <Link to={`/hosts/${host.id}`}>{host.name}</Link>
      </Td>
      <Td dataLabel="State" modifier="breakWord">
        <div>
          <StateLabel kind="host" state={shownState(host.status, host.runningCount)} />
          <StateReason host={host} />
        </div>
      </Td>
      <Td dataLabel="VMs">
        <span className="figure">{vmsText(host)}</span>
      </Td>
      <Td dataLabel="VFs">
        <FreeVfs {...host.vfs} />
      </Td>
      <Td dataLabel="Migrations">{migrationsText(host)}</Td>
      <Td dataLabel="Memory">
        <span className="figure">{freeMemoryText(host)}</span>
      </Td>
      <Td dataLabel="Last seen">{host.observedAt === null ? 'never' : <Time at={host.observedAt} />}</Td>
      <Td isActionCell>
        <RowActions of={host.name} items={[{ title: 'Remove', onClick: () => onRemove(host) }]} />
      </Td>
    </Tr>
  );
}

function StateReason({ host }: { readonly host: HostSummaryView }) {
  const reason = host.statusReason ?? stillThereText(host);
  return reason === null ? null : <div className="state-reason">{reason}</div>;
}

function stillThereText({ status, runningCount }: HostSummaryView): string | null {
  if (status !== 'maintenance' || runningCount === 0) return null;
  const still = runningCount === 1 ? 'A VM still runs' : `${runningCount} VMs still run`;
  return `${still} here; nothing is moved by itself.`;
}

/** How many VFs are free: in words, and drawn for the eye that looks down the column. */
function FreeVfs({ free, total }: { readonly free: number; readonly total: number }) {
  if (total === 0) return 'none';
  return (
    <div className="free-vfs">
      <span className="figure">
        {free} of {total} free
      </span>
      <FreeBar free={free} total={total} />
    </div>
  );
}

const vmsText = ({ vmCount, runningCount }: HostSummaryView): string =>
  vmCount === runningCount ? String(vmCount) : `${vmCount} (${vmCount - runningCount} down)`;

function migrationsText({ leaving, entering }: HostSummaryView): string {
  const texts = [
    ...(leaving > 0 ? [`${leaving} leaving`] : []),
    ...(entering > 0 ? [`${entering} entering`] : []),
  ];
  return texts.join(', ') || 'none';
}

function freeMemoryText({ memoryKiB, memoryFreeKiB }: HostSummaryView): string {
  if (memoryKiB === null || memoryFreeKiB === null) return 'not known';
  return `${memoryText(memoryFreeKiB)} of ${memoryText(memoryKiB)} free`;
}
