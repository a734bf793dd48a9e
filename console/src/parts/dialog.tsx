/**
 * A dialog: everything else can be neither used nor read while it is open. PatternFly hides by itself only
 * what lies beside the dialog in one place, and gets it wrong when a second one opens (the sign-in over a
 * form), so dialogs have places of their own and the rest is made inert here.
 */
import { Modal, type ModalProps } from '@patternfly/react-core';
import { useLayoutEffect } from 'react';

/** From back to front, as in `index.html`. */
const PLACES = ['root', 'dialogs', 'session-dialog'] as const;
type Layer = 'page' | 'session';
const PLACE_OF: Readonly<Record<Layer, (typeof PLACES)[number]>> = {
  page: 'dialogs',
  session: 'session-dialog',
};

const open: Layer[] = [];

function holdBack(): void {
  const front = Math.max(0, ...open.map((layer) => PLACES.indexOf(PLACE_OF[layer])));
  const [root, dialogs] = PLACES.map((id) => document.getElementById(id));
  root?.toggleAttribute('inert', front > 0);
  // Not inert: a dialog without anything to focus is an error to PatternFly, which keeps the focus in the one
  // in front anyway.
  if (front > 1) dialogs?.setAttribute('aria-hidden', 'true');
  else dialogs?.removeAttribute('aria-hidden');
}

/** Open as long as it is there. `layer`: `session` lies over those of the page. */
export function Dialog({
  layer = 'page',
  ...modal
}: Omit<ModalProps, 'ref' | 'isOpen' | 'appendTo'> & { readonly layer?: Layer }) {
  // Before the dialog gives the focus back to where it was.
  useLayoutEffect(() => {
    open.push(layer);
    holdBack();
    return () => {
      open.splice(open.lastIndexOf(layer), 1);
      holdBack();
    };
  }, [layer]);
  const place = () => document.getElementById(PLACE_OF[layer]) ?? document.body;
  return <Modal variant="small" {...modal} isOpen appendTo={place} />;
}
