/**
 * The move as a picture: two hosts, the guest on the one where it runs, and for every vNIC its VF on the
 * source, the reserved one on the target, and where it is between them. Eyes get the picture, screen readers
 * the same in sentences.
 */
import { Label } from '@patternfly/react-core';
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { memorySent } from './job-words.ts';
import { guestSide, movesOf, type MovingVf, noVfsText, pictureText, type Place } from './vf-moves.ts';
import './vf-picture.css';

/** Where the mark of a vNIC stands between its VFs, in percent of the way. */
const MARK_PERCENT: Readonly<Record<Place, number>> = {
  source: 0,
  leaving: 25,
  standby: 50,
  arriving: 75,
  target: 100,
  out: 50,
};
const MARK_COLOUR = {
  source: 'green',
  leaving: 'blue',
  standby: 'orange',
  arriving: 'blue',
  target: 'green',
  out: 'grey',
} as const;

/** The picture of a job as it is now, or as it was when it ended. */
export function VfPicture({ job }: { readonly job: JobView }) {
  const moves = movesOf(job);
  const side = guestSide(job);
  const rowCount = 2 + Math.max(1, moves.length);
  return (
    <>
      <ul className="pf-v6-screen-reader" aria-label="Where the guest and its VFs are">
        {pictureText(job).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <div className="move" aria-hidden="true">
        <Host name={job.source} column={1} rowCount={rowCount} word="source" />
        <Host name={job.target ?? 'not chosen yet'} column={3} rowCount={rowCount} word="target" />
        <Guest job={job} at="source" isHere={side === 'source'} />
        <Memory job={job} />
        <Guest job={job} at="target" isHere={side === 'target'} />
        {moves.length === 0 && <p className="move-none">{noVfsText(job)}</p>}
        {moves.map(({ name, place, word, source, target }, index) => (
          <div className="move-vnic" key={name}>
            <Vf vf={source} column={1} row={index + 3} />
            <div className="move-way" style={{ gridColumn: 2, gridRow: index + 3 }}>
              <span className="move-name">{name}</span>
              <Track percent={MARK_PERCENT[place]} place={place} />
              <Label isCompact color={MARK_COLOUR[place]}>
                {word}
              </Label>
            </div>
            <Vf vf={target} column={3} row={index + 3} />
          </div>
        ))}
      </div>
    </>
  );
}

function Host({
  name,
  column,
  rowCount,
  word,
}: {
  readonly name: string;
  readonly column: number;
  readonly rowCount: number;
  readonly word: string;
}) {
  return (
    <>
      <div className="move-host" style={{ gridColumn: column, gridRow: `1 / span ${rowCount}` }} />
      <div className="move-host-name" style={{ gridColumn: column, gridRow: 1 }}>
        <ServerIcon /> <strong>{name}</strong> <span className="move-word">{word}</span>
      </div>
    </>
  );
}

function Guest({
  job,
  at,
  isHere,
}: {
  readonly job: JobView;
  readonly at: 'source' | 'target';
  readonly isHere: boolean;
}) {
  const isTakenBack = job.ended || job.state === 'undoing' || job.state === 'needs_operator';
  const elsewhere = at === 'source' ? 'ran here' : isTakenBack ? 'does not come' : 'comes here';
  return (
    <div
      className={`move-guest${isHere ? ' move-guest-here' : ''}`}
      style={{ gridColumn: at === 'source' ? 1 : 3, gridRow: 2 }}
    >
      <strong>{job.vm}</strong>
      <span className="move-word">
        {isHere ? (job.ended ? 'ran here at the end' : 'runs here') : elsewhere}
      </span>
    </div>
  );
}

/** Between the guests: how much of the memory is across. */
function Memory({ job }: { readonly job: JobView }) {
  const isAcross = guestSide(job) === 'target';
  const isSent = isAcross || (job.moments.transferStartedAt !== null && !job.ended);
  const sent = isAcross ? 1 : isSent ? (memorySent(job) ?? 0) : 0;
  return (
    <div className="move-way" style={{ gridColumn: 2, gridRow: 2 }}>
      <span className="move-name">memory</span>
      <span className="move-track">
        <span className="move-fill" style={{ inlineSize: `${sent * 100}%` }} />
      </span>
      <span className="move-word figure">{isAcross ? 'across' : `${Math.floor(sent * 100)} % across`}</span>
    </div>
  );
}

function Vf({
  vf,
  column,
  row,
}: {
  readonly vf: MovingVf | null;
  readonly column: number;
  readonly row: number;
}) {
  return (
    <div
      className={`move-vf${vf?.isInUse ? ' move-vf-used' : ''}`}
      style={{ gridColumn: column, gridRow: row }}
    >
      {vf === null ? (
        <span className="move-word">no VF</span>
      ) : (
        <>
          <code>{vf.address}</code>
          <span className="move-word">
            {vf.pf}, {vf.word}
          </span>
        </>
      )}
    </div>
  );
}

const Track = ({ percent, place }: { readonly percent: number; readonly place: Place }) => (
  <span className="move-track">
    <span className={`move-mark move-mark-${place}`} style={{ insetInlineStart: `${percent}%` }} />
  </span>
);
