/** The newest migrations and drills of a VM, and how they went. */
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { Duration, Time } from '../../parts/time.tsx';
import { Section } from '../../parts/section.tsx';
import { useJobsOfVm } from './vm-facts.ts';
import { DataTable } from '../../parts/data-table.tsx';

/** The part of the page. */
export function VmHistory({ vm }: { readonly vm: VmView }) {
  const jobs = useJobsOfVm(vm.id);
  return (
    <Section title="Migrations and drills">
      <QueryState query={jobs} what="its jobs" rows={3}>
        {(all) => (all.length === 0 ? <>{vm.name} was not migrated yet.</> : <JobTable jobs={all} />)}
      </QueryState>
    </Section>
  );
}

function JobTable({ jobs }: { readonly jobs: readonly JobView[] }) {
  return (
    <DataTable label="Migrations and drills">
      <Thead>
        <Tr>
          <Th>Begun</Th>
          <Th>From and to</Th>
          <Th>Outcome</Th>
          <Th>Duration</Th>
          <Th>Downtime</Th>
          <Th>Network gap</Th>
        </Tr>
      </Thead>
      <Tbody>
        {jobs.map((job) => (
          <Tr key={job.id}>
            <Td dataLabel="Begun">
              <Time at={job.startedAt ?? job.createdAt} />
            </Td>
            <Td dataLabel="From and to" modifier="breakWord">
              {job.kind === 'drill_vm'
                ? `Drill on ${job.source}`
                : `${job.source} to ${job.target ?? 'a host to be chosen'}`}
            </Td>
            <Td dataLabel="Outcome">
              <Link to={`/jobs/${job.id}`}>
                <StateLabel kind="job" state={job.state} />
              </Link>
            </Td>
            <Td dataLabel="Duration">
              <Duration ms={durationMs(job)} />
            </Td>
            <Td dataLabel="Downtime">
              <Duration ms={job.downtimeMs} />
            </Td>
            <Td dataLabel="Network gap">
              <NetworkGap job={job} />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </DataTable>
  );
}

const durationMs = ({ startedAt, endedAt }: JobView): number | null =>
  startedAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);

function NetworkGap({ job }: { readonly job: JobView }) {
  const longestMs = job.networkGapMs?.longest ?? null;
  return longestMs === null ? 'not measured' : <Duration ms={longestMs} />;
}
