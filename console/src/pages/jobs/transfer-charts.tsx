/**
 * How the memory went across: what remained, what the guest dirtied, how fast it was sent. Charts and a
 * table.
 */
import { ExpandableSection } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { DataTable } from '../../parts/data-table.tsx';
import { memoryText } from '../../parts/size-texts.ts';
import { durationText } from '../../parts/time-texts.ts';
import { LineChart, type Point } from './line-chart.tsx';
import { byteUnit, valueText } from './ticks.ts';
import { type Reading, readingsOf } from './transfer-readings.ts';

/** Charts of a job's transfer. */
export function TransferCharts({ job }: { readonly job: JobView }) {
  const readings = readingsOf(job.samples);
  const last = readings.at(-1);
  if (last === undefined) return <p>{whyNone(job)}</p>;
  return (
    <>
      <div className="charts">
        <MemoryChart title="Memory remaining" readings={readings} of={(each) => each.bytesRemaining} />
        <MemoryChart title="Dirtied by the guest" readings={readings} of={(each) => each.dirtyBps} isRate />
        <MemoryChart title="Throughput" readings={readings} of={(each) => each.sentBps} isRate />
      </div>
      <ExpandableSection toggleText="The same as a table">
        <ReadingTable readings={readings} />
      </ExpandableSection>
    </>
  );
}

function whyNone({ ended, moments }: JobView): string {
  if (moments.transferStartedAt === null)
    return ended ? 'No memory was sent.' : 'The transfer has not begun yet.';
  return ended
    ? 'The transfer was over before it could be measured.'
    : 'The first reading comes in a moment.';
}

function MemoryChart({
  title,
  readings,
  of,
  isRate = false,
}: {
  readonly title: string;
  readonly readings: readonly Reading[];
  readonly of: (reading: Reading) => number | null;
  readonly isRate?: boolean;
}) {
  const known = readings.flatMap((each): Point[] => {
    const value = of(each);
    return value === null ? [] : [{ atMs: each.elapsedMs, value }];
  });
  const unit = byteUnit(Math.max(0, ...known.map(({ value }) => value)));
  const per = isRate ? '/s' : '';
  const [first, last] = [known[0], known.at(-1)];
  const told = (point: Point) => `${memoryText(point.value / 1024)}${per} after ${durationText(point.atMs)}`;
  return (
    <LineChart
      title={title}
      unit={first === undefined ? 'not measured yet' : `${unit.name}${per}`}
      points={known.map(({ atMs, value }) => ({ atMs, value: value / unit.bytes }))}
      untilMs={readings.at(-1)?.elapsedMs ?? 0}
      summary={first && last ? `from ${told(first)} to ${told(last)}` : 'not measured yet'}
    />
  );
}

function ReadingTable({ readings }: { readonly readings: readonly Reading[] }) {
  const [sizes, rates] = [
    byteUnit(Math.max(...readings.map((each) => each.bytesRemaining))),
    byteUnit(Math.max(...readings.flatMap((each) => [each.dirtyBps ?? 0, each.sentBps ?? 0]))),
  ];
  const rate = (bps: number | null) => (bps === null ? '-' : valueText(bps / rates.bytes));
  return (
    <div className="chart-table" tabIndex={0} role="region" aria-label="Readings of the transfer">
      <DataTable label="Readings of the transfer" gridBreakPoint="">
        <Thead>
          <Tr>
            <Th>After</Th>
            <Th>Remaining ({sizes.name})</Th>
            <Th>Dirtied ({rates.name}/s)</Th>
            <Th>Sent ({rates.name}/s)</Th>
          </Tr>
        </Thead>
        <Tbody>
          {readings.map((each) => (
            <Tr key={each.elapsedMs}>
              <Td className="figure">{durationText(each.elapsedMs)}</Td>
              <Td className="figure">{valueText(each.bytesRemaining / sizes.bytes)}</Td>
              <Td className="figure">{rate(each.dirtyBps)}</Td>
              <Td className="figure">{rate(each.sentBps)}</Td>
            </Tr>
          ))}
        </Tbody>
      </DataTable>
    </div>
  );
}
