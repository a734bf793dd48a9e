/** What a job has to say beside its steps: why it stopped, what it waits for, its warnings, what it left. */
import { Alert, Content, List, ListItem } from '@patternfly/react-core';
import type { AlertView, JobView } from '../../../../src/api/types/job-view.ts';
import { adviceOf, whereText } from './job-advice.ts';

/** `alerts`: those that stand for this job. */
export function JobRemarks({
  job,
  alerts,
}: {
  readonly job: JobView;
  readonly alerts: readonly AlertView[];
}) {
  return (
    <div className="job-remarks">
      <Why job={job} />
      {job.state === 'queued' && job.waitReason !== null && (
        <Alert variant="info" isInline component="h2" title={`It waits: ${job.waitReason}`}>
          It begins by itself as soon as it can.
        </Alert>
      )}
      {!job.ended &&
        job.state !== 'needs_operator' &&
        alerts.map(({ key, message }) => (
          <Alert key={key} variant="warning" isInline component="h2" title="It waits under an alert">
            {message}
          </Alert>
        ))}
      <Sentences title="Warnings" variant="warning" all={job.warnings} />
      <Sentences title="Left behind" variant="warning" all={job.leftBehind} />
    </div>
  );
}

/** The error in full, where the VM is, and what to do. */
function Why({ job }: { readonly job: JobView }) {
  const { error, state } = job;
  if (error === null || state === 'cancelled') return null;
  const isTakenBack = state === 'undoing';
  const title =
    state === 'needs_operator'
      ? 'The job stopped and needs you'
      : isTakenBack
        ? 'It is taken back'
        : 'It failed';
  const advice = adviceOf(job);
  return (
    <Alert variant={state === 'failed' ? 'danger' : 'warning'} isInline component="h2" title={title}>
      <Content component="p" className="job-error">
        {error.message} <span className="job-code">({error.code})</span>
      </Content>
      {!isTakenBack && <Content component="p">{whereText(job)}</Content>}
      {advice.length > 0 && !isTakenBack && (
        <>
          <Content component="p">What to do:</Content>
          <List component={advice.length > 1 ? 'ol' : 'ul'}>
            {advice.map((each) => (
              <ListItem key={each}>{each}</ListItem>
            ))}
          </List>
        </>
      )}
    </Alert>
  );
}

function Sentences({
  title,
  variant,
  all,
}: {
  readonly title: string;
  readonly variant: 'warning' | 'info';
  readonly all: readonly string[];
}) {
  if (all.length === 0) return null;
  return (
    <Alert variant={variant} isInline component="h2" title={title}>
      <List isPlain={all.length === 1}>
        {all.map((each) => (
          <ListItem key={each}>{each}</ListItem>
        ))}
      </List>
    </Alert>
  );
}
