/** The VMs of a host. */
import { Content } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { UseQueryResult } from '@tanstack/react-query';
import type { VmPage, VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { memoryText } from '../../parts/size-texts.ts';
import { EmptyState } from '../../parts/states.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { VmNameAndState } from '../vms/vm-cells.tsx';

/** The tab. */
export function HostVms({ hostId, vms }: { readonly hostId: string; readonly vms: UseQueryResult<VmPage> }) {
  return (
    <QueryState query={vms} what="the VMs of the host">
      {({ total, vms: shown }) =>
        total === 0 ? (
          <EmptyState title="No VM is on this host">
            A VM appears here once it is started here, migrated here, or defined here with libvirt's tools.
          </EmptyState>
        ) : (
          <>
            <VmTable hostId={hostId} vms={shown} />
            {total > shown.length && (
              <Content component="p">
                {`${total - shown.length} more are on this host; `}
                <Link to={`/vms?host=${hostId}`}>all of them</Link>.
              </Content>
            )}
          </>
        )
      }
    </QueryState>
  );
}

function VmTable({ hostId, vms }: { readonly hostId: string; readonly vms: readonly VmView[] }) {
  return (
    <DataTable label="VMs of this host">
      <Thead>
        <Tr>
          <Th>Name</Th>
          <Th>State</Th>
          <Th>VFs</Th>
          <Th>vCPUs</Th>
          <Th>Memory</Th>
          <Th>Job</Th>
        </Tr>
      </Thead>
      <Tbody>
        {vms.map((vm) => (
          <Tr key={vm.id}>
            <VmNameAndState vm={vm} />
            <Td dataLabel="VFs">
              <VfLinks hostId={hostId} vm={vm} />
            </Td>
            <Td dataLabel="vCPUs">
              <span className="figure">{vm.vcpus}</span>
            </Td>
            <Td dataLabel="Memory">
              <span className="figure">{memoryText(vm.memoryKiB)}</span>
            </Td>
            <Td dataLabel="Job">
              {vm.jobId === null ? 'none' : <Link to={`/jobs/${vm.jobId}`}>Migration</Link>}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </DataTable>
  );
}

/** Each VF leads to its place in the map. */
function VfLinks({ hostId, vm }: { readonly hostId: string; readonly vm: VmView }) {
  const vfs = vm.vnics.flatMap(({ vf }) => (vf === null ? [] : [vf]));
  if (vfs.length === 0) return 'none';
  return (
    <span className="links wrapping">
      {vfs.map((vf) => (
        <Link key={vf} to={`/hosts/${hostId}?vf=${vf}`}>
          {vf}
        </Link>
      ))}
    </span>
  );
}
