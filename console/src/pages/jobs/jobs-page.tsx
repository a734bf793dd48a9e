/** All migrations and drills, live ones first; the address says whether only these are shown. */
import { ToggleGroup, ToggleGroupItem, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { DataTable } from '../../parts/data-table.tsx';
import { ButtonLink, Link } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { Duration, Time } from '../../parts/time.tsx';
import { useServerNow } from '../../parts/use-server-now.ts';
import { useUrlState } from '../../parts/use-url-state.ts';
import { durationMs } from './job-figures.ts';
import { JOBS_MAX, useJobs } from './job-queries.ts';
import { nounOf, outcomeText } from './job-words.ts';

/** The page. */
export default function JobsPage() {
  const [shown, setShown] = useUrlState('show');
  const only = shown === 'live' ? 'live' : 'all';
  const jobs = useJobs(only);
  return (
    <PageLayout title="Jobs" about={`Migrations and drills: all that are live, and the newest ${JOBS_MAX}.`}>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <ToggleGroup aria-label="Which jobs are shown">
              <ToggleGroupItem text="All" isSelected={only === 'all'} onChange={() => setShown('')} />
              <ToggleGroupItem text="Live" isSelected={only === 'live'} onChange={() => setShown('live')} />
            </ToggleGroup>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <QueryState query={jobs} what="the jobs" rows={8}>
        {(all) =>
          all.length === 0 ? <NoJobs only={only} /> : <JobTable jobs={all} seenMs={jobs.dataUpdatedAt} />
        }
      </QueryState>
    </PageLayout>
  );
}

function NoJobs({ only }: { readonly only: 'live' | 'all' }) {
  return (
    <EmptyState
      title={only === 'live' ? 'Nothing is being migrated' : 'Nothing was migrated yet'}
      actions={<ButtonLink to="/vms">Go to the VMs</ButtonLink>}
    >
      Choose a VM that runs, and migrate it. Its job appears here by itself, and stays.
    </EmptyState>
  );
}

function JobTable({ jobs, seenMs }: { readonly jobs: readonly JobView[]; readonly seenMs: number }) {
  const nowMs = useServerNow(
    jobs.some((job) => !job.ended),
    seenMs,
  );
  return (
    <DataTable label="Jobs" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="fitContent">Job</Th>
          <Th modifier="fitContent">VM</Th>
          <Th>From and to</Th>
          <Th modifier="fitContent">Started</Th>
          <Th modifier="fitContent">Duration</Th>
          <Th width={25}>Outcome</Th>
          <Th modifier="fitContent">Downtime</Th>
          <Th modifier="fitContent">Network gap</Th>
        </Tr>
      </Thead>
      <Tbody>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} nowMs={nowMs} />
        ))}
      </Tbody>
    </DataTable>
  );
}

function Way({ job }: { readonly job: JobView }) {
  const source = <Link to={`/hosts/${job.sourceId}`}>{job.source}</Link>;
  if (job.kind === 'drill_vm') return <span>Drill on {source}</span>;
  return (
    <span>
      {source} to{' '}
      {job.targetId === null ? 'not chosen yet' : <Link to={`/hosts/${job.targetId}`}>{job.target}</Link>}
    </span>
  );
}

function JobRow({ job, nowMs }: { readonly job: JobView; readonly nowMs: number }) {
  return (
    <Tr>
      <Td dataLabel="Job" modifier="nowrap">
        <Link to={`/jobs/${job.id}`}>
          <StateLabel kind="job" state={job.state} />
          <span className="pf-v6-screen-reader">
            {' '}
            {nounOf(job)} of {job.vm}
          </span>
        </Link>
      </Td>
      <Td dataLabel="VM" modifier="nowrap">
        <Link to={`/vms/${job.vmId}`}>{job.vm}</Link>
      </Td>
      <Td dataLabel="From and to">
        <Way job={job} />
      </Td>
      <Td dataLabel="Started" modifier="nowrap">
        {job.startedAt === null ? 'not yet' : <Time at={job.startedAt} />}
      </Td>
      <Td dataLabel="Duration" modifier="nowrap">
        <Duration ms={durationMs(job, nowMs)} />
      </Td>
      <Td dataLabel="Outcome" modifier="breakWord">
        {outcomeText(job)}
      </Td>
      <Td dataLabel="Downtime" modifier="nowrap">
        <Duration ms={job.downtimeMs} />
      </Td>
      <Td dataLabel="Network gap" modifier="nowrap">
        <Duration ms={job.networkGapMs?.longest ?? null} />
      </Td>
    </Tr>
  );
}
