/** The figures of a job: how long, how long the guest stood still, how long packets did not come through. */
import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { PlanView } from '../../../../src/api/types/vm-view.ts';
import { memoryText } from '../../parts/size-texts.ts';
import { Time } from '../../parts/time.tsx';
import { durationText } from '../../parts/time-texts.ts';
import { durationMs, onStandby, unknownText } from './job-figures.ts';

const PROTOCOLS = { p2p: 'peer-to-peer', direct: 'driven by the engine' };

/** `expected`: of earlier migrations; undefined: not known. */
export function FigureList({
  job,
  nowMs,
  expected,
}: {
  readonly job: JobView;
  readonly nowMs: number;
  readonly expected: PlanView['expected'] | undefined;
}) {
  const lastsMs = durationMs(job, nowMs);
  const gap = job.networkGapMs;
  const isMove = job.kind === 'migrate_vm';
  const unknown = unknownText(job);
  const figure = (ms: number | null | undefined) => (ms == null ? unknown : durationText(ms));
  return (
    <DescriptionList isCompact className="job-figures">
      <Figure term="Duration">{lastsMs === null ? 'not begun' : durationText(lastsMs)}</Figure>
      {isMove && <Figure term={job.ended ? 'Usual' : 'Expected'}>{expectedText(expected)}</Figure>}
      {isMove && <Figure term="Downtime">{figure(job.downtimeMs)}</Figure>}
      <Figure term="On standby">{standbyText(job, nowMs)}</Figure>
      <Figure term="Longest network gap">{figure(gap?.longest)}</Figure>
      {(isMove ? (['unplug', 'switchover', 'plug'] as const) : (['unplug', 'plug'] as const)).map((phase) => (
        <Figure key={phase} term={`Gap at ${phase}`}>
          {figure(gap?.[phase])}
        </Figure>
      ))}
      {isMove && (
        <Figure term="Memory">
          {job.progress === null ? '-' : memoryText(job.progress.bytesTotal / 1024)}
        </Figure>
      )}
      {isMove && <Figure term="Path">{job.protocol === null ? '-' : PROTOCOLS[job.protocol]}</Figure>}
      <Figure term="Asked for">
        <Time at={job.createdAt} />
      </Figure>
      <Figure term="Ended">{job.endedAt === null ? '-' : <Time at={job.endedAt} />}</Figure>
    </DescriptionList>
  );
}

const Figure = ({ term, children }: { readonly term: string; readonly children: ReactNode }) => (
  <DescriptionListGroup>
    <DescriptionListTerm>{term}</DescriptionListTerm>
    <DescriptionListDescription className="job-figure">{children}</DescriptionListDescription>
  </DescriptionListGroup>
);

function standbyText(job: JobView, nowMs: number): string {
  const standby = onStandby(job, nowMs);
  if (standby === null) return 'not at all';
  const more = job.ended ? ', and after the end' : ' so far';
  return `${durationText(standby.ms)}${standby.isOver ? '' : more}`;
}

function expectedText(expected: PlanView['expected'] | undefined): string {
  if (expected == null) return 'not known';
  const { durationMs: ms, standbyMs, jobs, ofThisVm } = expected;
  const standby = standbyMs === null ? '' : `, ${durationText(standbyMs)} of it on standby`;
  return `about ${durationText(ms)}${standby} (${behindText(jobs, ofThisVm)})`;
}

function behindText(jobs: number, ofThisVm: boolean): string {
  if (jobs === 1) return ofThisVm ? 'as its last migration' : 'as the only migration until now';
  return `${jobs} migrations of ${ofThisVm ? 'this VM' : 'all VMs'}`;
}
