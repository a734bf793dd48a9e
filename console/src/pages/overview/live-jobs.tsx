/** Migrations and drills that go on, with how far each is. */
import { Progress, ProgressMeasureLocation } from '@patternfly/react-core';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { Link } from '../../parts/link.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { useJobs } from '../jobs/job-queries.ts';
import { jobProgress, nounOf, standText, wayText } from '../jobs/job-words.ts';
import { Section } from '../../parts/section.tsx';

/** So many are shown; the list of jobs has them all. */
const SHOWN_MAX = 8;

/** The part of the page. */
export function LiveJobs() {
  const jobs = useJobs('live');
  return (
    <Section title="Migrations now" isFullHeight actions={<Link to="/jobs">All jobs</Link>}>
      <QueryState query={jobs} what="the live jobs" rows={2}>
        {(live) =>
          live.length === 0 ? (
            <>
              Nothing is being migrated. <Link to="/vms">Choose a VM</Link> to move one.
            </>
          ) : (
            <>
              <ul className="plain-list" aria-label="Live migrations">
                {live.slice(0, SHOWN_MAX).map((job) => (
                  <LiveJob key={job.id} job={job} />
                ))}
              </ul>
              {live.length > SHOWN_MAX && (
                <Link to="/jobs?show=live">And {live.length - SHOWN_MAX} more</Link>
              )}
            </>
          )
        }
      </QueryState>
    </Section>
  );
}

function LiveJob({ job }: { readonly job: JobView }) {
  const percent = Math.floor(jobProgress(job) * 100);
  return (
    <li className="live-job">
      <div className="live-job-head">
        <span>
          <Link to={`/jobs/${job.id}`}>{job.vm}</Link> {wayText(job)}
        </span>
        <StateLabel kind="job" state={job.state} />
      </div>
      <Progress
        aria-label={`Progress of the ${nounOf(job)} of ${job.vm}`}
        value={percent}
        valueText={standText(job)}
        size="sm"
        measureLocation={ProgressMeasureLocation.none}
      />
      <span className="live-job-stand figure">{standText(job)}</span>
    </li>
  );
}
