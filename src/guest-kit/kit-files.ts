/**
 * The files of the guest kit, from the folder `guest/`, and where they belong in a guest. Read when they are
 * asked for: they are part of this checkout, as the source is. Callers: the texts that carry the kit,
 * `tools/guest-kit.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestFile } from './guest-file.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
/** The kit's folder. */
export const KIT_FOLDER = join(REPOSITORY, 'guest');

/** The version of the product. */
export function kitVersion(): string {
  return (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version;
}

/** A text of the kit's folder, with the version in it. */
export const kitText = (name: string): string =>
  readFileSync(join(KIT_FOLDER, name), 'utf8').replaceAll('@VERSION@', kitVersion());

/** What is installed. */
export function kitFiles(): GuestFile[] {
  const file = (name: string, path: string, mode: '644' | '755'): GuestFile => ({
    path,
    mode,
    content: kitText(name),
  });
  const parts = readdirSync(join(KIT_FOLDER, 'lib')).filter((name) => name.endsWith('.sh'));
  return [
    ...parts.sort().map((name) => file(`lib/${name}`, `/usr/lib/handover-guest/${name}`, '644')),
    file('modprobe.conf', '/usr/lib/modprobe.d/handover-guest.conf', '644'),
    file('nm-dispatcher', '/usr/lib/NetworkManager/dispatcher.d/90-handover-guest', '755'),
    // Last, so that what they call is there.
    file('handover-guest', '/usr/sbin/handover-guest', '755'),
    file('90-handover-guest.rules', '/usr/lib/udev/rules.d/90-handover-guest.rules', '644'),
  ];
}
