/**
 * The text that makes the bonds of one VM inside its guest, in the form that is wanted. Pure, but for the
 * kit's own files. Callers: the use case; `tools/guest-kit.ts` has the script without pairs.
 */
import { cloudInitText } from './cloud-init-text.ts';
import type { GuestPair } from './guest-pair.ts';
import { ifupdownText } from './ifupdown-text.ts';
import { installerText } from './installer.ts';
import { networkdText } from './networkd-text.ts';
import { nmcliText } from './nmcli-text.ts';

/**
 * `script` and `cloud-init` install the kit, which does the rest; the others configure a network manager
 * without it.
 */
const TEXTS = {
  script: installerText,
  'cloud-init': cloudInitText,
  nmcli: nmcliText,
  networkd: networkdText,
  ifupdown: ifupdownText,
} as const satisfies Record<string, (pairs: readonly GuestPair[]) => string>;

export type GuestKitFormat = keyof typeof TEXTS;

/** The text; `pairs` has one at least. */
export const guestKitText = (format: GuestKitFormat, pairs: readonly GuestPair[]): string =>
  TEXTS[format](pairs);
