/**
 * One migration or drill as it happens, and as it went: the page of a job stays where it is. Follows by
 * events and, while the job runs, every second; each look is whole, so nothing is missing after a reload or a
 * lost connection.
 */
import { Content, Grid, GridItem } from '@patternfly/react-core';
import { useEffect, useRef } from 'react';
import { useParams } from 'wouter';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { say } from '../../parts/announcer.tsx';
import { Link } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { Section } from '../../parts/section.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { useServerNow } from '../../parts/use-server-now.ts';
import { FigureList } from './figure-list.tsx';
import { JobActions } from './job-actions.tsx';
import { useAlerts, useExpectation, useJob } from './job-queries.ts';
import { stoodStillMs } from './job-steps.ts';
import { JobRemarks } from './job-remarks.tsx';
import { changeText, jobOfAlert, outcomeText, standText } from './job-words.ts';
import { Timeline } from './timeline.tsx';
import { TransferCharts } from './transfer-charts.tsx';
import { VfPicture } from './vf-picture.tsx';
import './job-page.css';

const ABOVE = [{ title: 'Jobs', to: '/jobs' }];

/** The page. */
export default function JobPage() {
  const { id = '' } = useParams();
  const query = useJob(id);
  const alerts = useAlerts();
  const job = query.data;
  useChangesSaid(job);
  const own = (alerts.data ?? []).filter((alert) => jobOfAlert(alert) === id);
  return (
    <PageLayout
      title={job === undefined ? 'Job' : `${job.kind === 'drill_vm' ? 'Drill' : 'Migration'} of ${job.vm}`}
      above={ABOVE}
      {...(job === undefined
        ? {}
        : {
            about: <About job={job} />,
            state: <StateLabel kind="job" state={job.state} />,
            actions: <JobActions job={job} isUnderAlert={own.length > 0} />,
          })}
    >
      <QueryState query={query} what="the job" rows={12}>
        {(shown) => (
          <>
            <JobRemarks job={shown} alerts={own} />
            <Facts job={shown} seenMs={query.dataUpdatedAt} />
          </>
        )}
      </QueryState>
    </PageLayout>
  );
}

/** Why it failed or stopped is said below, in full. */
function About({ job }: { readonly job: JobView }) {
  const isSaidBelow = job.state === 'failed' || job.state === 'needs_operator';
  return (
    <>
      <Link to={`/vms/${job.vmId}`}>{job.vm}</Link> {job.kind === 'drill_vm' ? 'on' : 'from'}{' '}
      <Link to={`/hosts/${job.sourceId}`}>{job.source}</Link>
      {job.kind === 'migrate_vm' && <To job={job} />}.{' '}
      {!isSaidBelow && (
        <span className="job-stand">{job.ended ? outcomeText(job) : `${standText(job)}.`}</span>
      )}
    </>
  );
}

const To = ({ job }: { readonly job: JobView }) => (
  <>
    {' to '}
    {job.targetId === null ? (
      'a host that is not chosen yet'
    ) : (
      <Link to={`/hosts/${job.targetId}`}>{job.target}</Link>
    )}
  </>
);

function Facts({ job, seenMs }: { readonly job: JobView; readonly seenMs: number }) {
  const nowMs = useServerNow(stoodStillMs(job) === null, seenMs);
  const expected = useExpectation(job.vmId).data;
  // A drill moves nothing.
  const isMove = job.kind === 'migrate_vm';
  return (
    <Grid hasGutter>
      {isMove && (
        <GridItem>
          <Section title={job.ended ? 'Where everything was at the end' : 'Where everything is'}>
            <VfPicture job={job} />
          </Section>
        </GridItem>
      )}
      <GridItem>
        <Section title="Figures">
          <FigureList job={job} nowMs={nowMs} expected={expected} />
        </Section>
      </GridItem>
      <GridItem>
        <Section title="Steps">
          <Timeline job={job} nowMs={nowMs} expectedMs={(isMove && expected?.durationMs) || null} />
        </Section>
      </GridItem>
      {isMove && (
        <GridItem>
          <Section title="Transfer of the memory">
            <TransferCharts job={job} />
          </Section>
        </GridItem>
      )}
      <GridItem>
        <Content component="small">Job {job.id}. This page stays at its address.</Content>
      </GridItem>
    </Grid>
  );
}

/** Steps and the end are said as they come; what was there when the page was opened is on it. */
function useChangesSaid(job: JobView | undefined): void {
  const before = useRef<JobView | undefined>(undefined);
  useEffect(() => {
    if (job !== undefined && before.current?.id === job.id) {
      const text = changeText(before.current, job);
      if (text !== '') say(text);
    }
    before.current = job;
  }, [job]);
}
