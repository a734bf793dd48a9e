/** The guest kit as one shell script, with or without the pairs of a VM. */
import { hereDocument } from './guest-file.ts';
import { type GuestPair, pairLines } from './guest-pair.ts';
import { kitFiles, kitText } from './kit-files.ts';

/** `handover-guest.sh`; without pairs the guest finds its own. */
export function installerText(pairs: readonly GuestPair[]): string {
  const files = kitFiles()
    .map(({ path, mode, content }) => `"$1" ${mode} ${path} ${hereDocument(content)}\n`)
    .join('');
  // Functions: a text may have a $ in it, which a plain replacement would take for its own.
  return kitText('installer.sh')
    .replace(/^@PAIRS@$/m, () => pairLines(pairs).join('\n'))
    .replace(/^@FILES@\n/m, () => files);
}
