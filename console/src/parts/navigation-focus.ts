/**
 * Whether the page that is shown now was navigated to, rather than loaded: only then does its title take the
 * focus. Noted by `<Frame>` on every change of the path, taken by the page once its title is there.
 */
let isNavigation = false;

/** The path changed. */
export function noteNavigation(): void {
  isNavigation = true;
}

/** True once after each change. */
export function takeNavigation(): boolean {
  const was = isNavigation;
  isNavigation = false;
  return was;
}
