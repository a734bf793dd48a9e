/** How much is free of something, for the eye that compares rows; the words beside it say the same. */

/** `total` is more than 0. */
export function FreeBar({ free, total }: { readonly free: number; readonly total: number }) {
  return (
    <span className="free-bar" aria-hidden="true">
      <span style={{ inlineSize: `${(100 * free) / total}%` }} />
    </span>
  );
}
