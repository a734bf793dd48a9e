/**
 * The VFs of a PF as a list of small cells to go through with the arrow keys: one tab stop, and one handler
 * of each kind for all cells. Drawn a thousand at a time, so a cell is a bare element, without a component of
 * its own.
 */
import { type KeyboardEvent, memo, type SyntheticEvent, useRef } from 'react';
import type { VfUseView } from '../../../../src/api/types/fleet-view.ts';
import { movedBy, VF_LOOKS, vfName } from './vf-words.ts';

/** The cells of one PF. Callbacks must stay the same, or all cells are drawn again. */
export interface VfGridProps {
  readonly label: string;
  readonly vfs: readonly VfUseView[];
  /** Place in `vfs`; null: none was chosen yet. */
  readonly chosen: number | null;
  readonly onChoose: (place: number) => void;
  /** It was pressed, not only passed over. */
  readonly onPress: (place: number) => void;
  /** What the mouse is over; null: nothing any more. */
  readonly onPoint: (place: number | null) => void;
}

/** The list. */
export const VfGrid = memo(function VfGrid(props: VfGridProps) {
  const { label, vfs, chosen, onChoose, onPress, onPoint } = props;
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const from = placeOf(event);
    if (from === null || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onPress(from);
      return;
    }
    const to = movedBy(event.key, from, vfs.length, columnsOf(list.current));
    if (to === null) return;
    event.preventDefault();
    list.current?.querySelector<HTMLElement>(`[data-place="${to}"]`)?.focus();
  };
  const tell = (told: (place: number) => void) => (event: SyntheticEvent) => {
    const place = placeOf(event);
    if (place !== null) told(place);
  };
  return (
    <div
      ref={list}
      role="listbox"
      aria-label={label}
      className="vf-grid"
      onKeyDown={move}
      onFocus={tell(onChoose)}
      onClick={tell(onPress)}
      onMouseOver={tell(onPoint)}
      onMouseLeave={() => onPoint(null)}
    >
      {vfs.map((vf, place) => (
        <div
          key={vf.pciAddress}
          role="option"
          aria-selected={place === chosen}
          aria-label={vfName(vf)}
          tabIndex={place === (chosen ?? 0) ? 0 : -1}
          data-place={place}
          className={`vf-cell vf-${vf.state}`}
        >
          {VF_LOOKS[vf.state].letter}
        </div>
      ))}
    </div>
  );
});

function placeOf({ target }: SyntheticEvent): number | null {
  const place = target instanceof HTMLElement ? target.dataset['place'] : undefined;
  return place === undefined ? null : Number(place);
}

const columnsOf = (list: HTMLElement | null): number =>
  list === null ? 1 : getComputedStyle(list).gridTemplateColumns.split(' ').length;
