/** The VMs of a page, a row each. A row is drawn again only when something of it has changed. */
import { Button, Checkbox } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { memo } from 'react';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { MovabilityView, VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { MovabilityText } from './movability-text.tsx';
import { VmNameAndState } from './vm-cells.tsx';
import { VnicBadges } from './vnic-badge.tsx';
import { DataTable } from '../../parts/data-table.tsx';

/** What is shown, and what is chosen of it. */
export interface VmTableProps {
  readonly vms: readonly VmView[];
  /** By the id of the VM. */
  readonly movability: ReadonlyMap<string, MovabilityView>;
  readonly isMovabilityUnknown: boolean;
  /** Live ones, by the id of the VM. */
  readonly jobs: ReadonlyMap<string, JobView>;
  readonly selected: ReadonlySet<string>;
  /** Stays the same function. */
  readonly onSelect: (ids: readonly string[], isSelected: boolean) => void;
  /** Stays the same function. */
  readonly onMigrate: (id: string) => void;
}

/** The table. */
export const VmTable = memo(function VmTable(props: VmTableProps) {
  const { vms, movability, isMovabilityUnknown, jobs, selected, onSelect, onMigrate } = props;
  const ids = vms.map(({ id }) => id);
  const selectedHere = ids.filter((id) => selected.has(id)).length;
  const isPartly = selectedHere > 0 && selectedHere < vms.length;
  return (
    <DataTable label="VMs" gridBreakPoint="grid-lg" className="vm-table pf-m-fixed">
      <Thead>
        <Tr>
          <Th className="pf-v6-c-table__check">
            <Checkbox
              id="select-all"
              aria-label="Select all VMs of this page"
              isChecked={isPartly ? null : selectedHere > 0}
              onChange={(_event, isSelected) => onSelect(ids, isSelected)}
            />
          </Th>
          <Th className="vm-table-name">Name</Th>
          <Th className="vm-table-state">State</Th>
          <Th className="vm-table-host">Host</Th>
          <Th className="vm-table-vnics">vNICs</Th>
          <Th>Can migrate</Th>
          <Th className="vm-table-migrate" screenReaderText="Migrate" />
        </Tr>
      </Thead>
      <Tbody>
        {vms.map((vm) => (
          <VmRow
            key={vm.id}
            vm={vm}
            movability={movability.get(vm.id)}
            isMovabilityUnknown={isMovabilityUnknown}
            job={jobs.get(vm.id)}
            isSelected={selected.has(vm.id)}
            onSelect={onSelect}
            onMigrate={onMigrate}
          />
        ))}
      </Tbody>
    </DataTable>
  );
});

interface VmRowProps extends Pick<VmTableProps, 'isMovabilityUnknown' | 'onSelect' | 'onMigrate'> {
  readonly vm: VmView;
  readonly movability: MovabilityView | undefined;
  readonly job: JobView | undefined;
  readonly isSelected: boolean;
}

const VmRow = memo(function VmRow(props: VmRowProps) {
  const { vm, movability, isMovabilityUnknown, job, isSelected, onSelect, onMigrate } = props;
  return (
    <Tr isRowSelected={isSelected}>
      <Td className="pf-v6-c-table__check">
        <Checkbox
          id={`select-${vm.id}`}
          aria-label={`Select ${vm.name}`}
          isChecked={isSelected}
          onChange={(_event, isNowSelected) => onSelect([vm.id], isNowSelected)}
        />
      </Td>
      <VmNameAndState vm={vm} />
      <Td dataLabel="Host" modifier="breakWord">
        {vm.hostId === null ? '-' : <Link to={`/hosts/${vm.hostId}`}>{vm.host}</Link>}
      </Td>
      <Td dataLabel="vNICs">
        <VnicBadges vm={vm} />
      </Td>
      <Td dataLabel="Can migrate" modifier="breakWord">
        <MovabilityText vm={vm} movability={movability} isUnknown={isMovabilityUnknown} job={job} />
      </Td>
      <Td dataLabel="Action">
        <div>
          <Button
            variant="secondary"
            size="sm"
            aria-label={`Migrate ${vm.name}`}
            aria-haspopup="dialog"
            onClick={() => onMigrate(vm.id)}
          >
            Migrate
          </Button>
        </div>
      </Td>
    </Tr>
  );
});
