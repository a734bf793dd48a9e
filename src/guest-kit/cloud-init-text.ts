/** cloud-init user-data that installs the kit with the pairs of a VM at its first boot. */
import { gzipSync } from 'node:zlib';
import type { GuestPair } from './guest-pair.ts';
import { installerText } from './installer.ts';

const SCRIPT = '/var/lib/cloud/handover-guest.sh';
const COLUMNS = 100;

/**
 * A `#cloud-config`. Compressed: NoCloud, which libvirt guests have, takes any length, others as little as 64
 * KiB.
 */
export function cloudInitText(pairs: readonly GuestPair[]): string {
  const encoded = gzipSync(installerText(pairs), { level: 9 }).toString('base64');
  const lines = encoded.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [];
  return `#cloud-config
# Handover's guest kit for one VM: what "handover guest kit VM --format script" shows, installed at the first
# boot. It finds the network manager that is there, and stops cloud-init from configuring the network later.
write_files:
  - path: ${SCRIPT}
    permissions: '0755'
    encoding: gz+b64
    content: |
${lines.map((line) => `      ${line}\n`).join('')}runcmd:
  - [sh, ${SCRIPT}, install]
`;
}
