/**
 * The steps of a job with bars on one axis of time, and their parts for single vNICs below them. Rows of
 * steps to come are there from the beginning, so that nothing moves when they begin.
 */
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { StateLabel } from '../../parts/state-label.tsx';
import { durationText } from '../../parts/time-texts.ts';
import { stoodStillMs, timelineOf, type TimelineRow } from './job-steps.ts';
import { timeTicks } from './ticks.ts';
import './timeline.css';

const TICKS_MAX = 6;
/** A bar that is shorter than this would not be seen. */
const BAR_PERCENT_MIN = 0.6;

/** The axis: where it begins and how much of it there is. */
interface Axis {
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly nowMs: number;
}

/**
 * `nowMs`: the engine's time. `expectedMs`: how long it may take, so that the axis has room; null: not known.
 */
export function Timeline({
  job,
  nowMs,
  expectedMs,
}: {
  readonly job: JobView;
  readonly nowMs: number;
  readonly expectedMs: number | null;
}) {
  const rows = timelineOf(job);
  const axis = axisOf(job, rows, nowMs, expectedMs);
  return (
    <div className="timeline">
      <div className="timeline-axis" aria-hidden="true">
        <div className="timeline-ticks">
          {timeTicks(axis.lengthMs, TICKS_MAX).map((ms) => (
            <span key={ms} style={{ insetInlineStart: `${(ms / axis.lengthMs) * 100}%` }}>
              {durationText(ms)
                .replace(/^0 ms$/, '0')
                .replace('.0 s', ' s')}
            </span>
          ))}
        </div>
      </div>
      <ol className="timeline-steps" aria-label="Steps">
        {rows.map((row) => (
          <li key={row.key}>
            <Row row={row} axis={axis} />
            {row.parts.length > 0 && (
              <ul className="timeline-parts" aria-label={`${row.title} of each vNIC`}>
                {row.parts.map((part) => (
                  <li key={part.key}>
                    <Row row={part} axis={axis} />
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Row({ row, axis }: { readonly row: TimelineRow; readonly axis: Axis }) {
  const { title, state, text, attempts, startMs } = row;
  const endMs = row.endMs ?? axis.nowMs;
  const lastedMs = startMs === null ? null : Math.max(0, endMs - startMs);
  const percent = (ms: number) => Math.min(100, Math.max(0, (ms / axis.lengthMs) * 100));
  const isShown = startMs !== null && lastedMs !== null && state !== 'skipped';
  return (
    <div className={`timeline-row timeline-${state}`} aria-current={state === 'started' ? 'step' : undefined}>
      <span className="timeline-title">{title}</span>
      <span className="timeline-state">
        <StateLabel kind="step" state={state} />
      </span>
      <span className="timeline-track" aria-hidden="true">
        {isShown && (
          <span
            className="timeline-bar"
            style={{
              insetInlineStart: `min(${percent(startMs - axis.fromMs)}%, calc(100% - 3px))`,
              width: `${Math.max(BAR_PERCENT_MIN, percent(lastedMs))}%`,
            }}
          />
        )}
      </span>
      <span className="timeline-lasted figure">
        {isShown ? (
          <>
            <span className="pf-v6-screen-reader">
              Began {durationText(Math.max(0, startMs - axis.fromMs))} after the start, lasted{' '}
            </span>
            {durationText(lastedMs)}
          </>
        ) : (
          <span aria-hidden="true">-</span>
        )}
      </span>
      <span className="timeline-text">
        {text}
        {attempts > 1 && ` (begun ${attempts} times)`}
      </span>
    </div>
  );
}

/**
 * An ended job fills the axis. One that runs has room for what is expected, and gets more in round steps
 * rather than by every tick.
 */
function axisOf(job: JobView, rows: readonly TimelineRow[], nowMs: number, expectedMs: number | null): Axis {
  const starts = rows.flatMap(({ startMs }) => (startMs === null ? [] : [startMs]));
  const fromMs = Math.min(Date.parse(job.startedAt ?? job.createdAt), ...starts);
  const passedMs = Math.max(1, (stoodStillMs(job) ?? nowMs) - fromMs);
  if (job.ended) return { fromMs, lengthMs: passedMs, nowMs };
  const roomMs = Math.max(passedMs * 1.05, expectedMs ?? 0, 5_000);
  const stepMs = timeTicks(roomMs, TICKS_MAX)[1] ?? roomMs;
  return { fromMs, lengthMs: Math.ceil(roomMs / stepMs) * stepMs, nowMs };
}
