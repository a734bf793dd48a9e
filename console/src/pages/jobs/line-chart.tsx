/**
 * A small line chart over time with its axes, units and grid. To screen readers it is a picture with
 * `summary`; the numbers belong in a table beside it.
 */
import { useId } from 'react';
import { durationText } from '../../parts/time-texts.ts';
import { timeTicks, valueText, valueTicks } from './ticks.ts';
import './line-chart.css';

const WIDTH = 320;
const HEIGHT = 160;
const LEFT = 40;
const RIGHT = 14;
const TOP = 8;
const BOTTOM = 22;
const TICKS_MAX = 4;

/** A moment and the value then. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** `unit` stands beside the title; `untilMs`: how long the axis of time is, at least. */
export function LineChart({
  title,
  unit,
  points,
  untilMs,
  summary,
}: {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly Point[];
  readonly untilMs: number;
  readonly summary: string;
}) {
  const id = useId();
  const lengthMs = Math.max(1_000, untilMs, ...points.map(({ atMs }) => atMs));
  const levels = valueTicks(Math.max(0, ...points.map(({ value }) => value)), TICKS_MAX);
  const top = levels.at(-1) ?? 1;
  const x = (ms: number) => LEFT + (ms / lengthMs) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const last = points.at(-1);
  return (
    <figure className="chart">
      <figcaption id={`${id}-title`}>
        {title} <span className="chart-unit">({unit})</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title} (${unit}): ${summary}`}>
        {levels.map((value) => (
          <g key={value}>
            <line className="chart-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
            <text className="chart-text" x={LEFT - 6} y={y(value) + 4} textAnchor="end">
              {valueText(value)}
            </text>
          </g>
        ))}
        {timeTicks(lengthMs, TICKS_MAX).map((ms) => (
          <g key={ms}>
            <line className="chart-tick" x1={x(ms)} x2={x(ms)} y1={y(0)} y2={y(0) + 4} />
            <text className="chart-text" x={x(ms)} y={HEIGHT - 5} textAnchor="middle">
              {ms === 0 ? '0' : durationText(ms).replace('.0 s', ' s')}
            </text>
          </g>
        ))}
        <polyline
          className="chart-line"
          points={points.map(({ atMs, value }) => `${x(atMs)},${y(value)}`).join(' ')}
        />
        {last !== undefined && <circle className="chart-dot" cx={x(last.atMs)} cy={y(last.value)} r={3} />}
      </svg>
    </figure>
  );
}
