/**
 * The Debian packages the lab needs on the machine that runs it. One home for the list.
 *
 * Invariant: with all of them present nothing is asked of apt, so an up-to-date machine works offline.
 * Callers: `lab/main.ts`, the demo and the test bootstrap, before anything of the lab starts.
 */
import { spawnSync } from 'node:child_process';
import type { Log } from '../src/base/log.ts';
import {
  backportsSuite,
  ensureBackports,
  installPackages,
  missingPackages,
  requireRoot,
  takePackages,
} from '../tools/setup/apt.ts';

/** QEMU with the `igb` NIC (8.0 or newer; Debian 12 has 7.2, so there it comes from backports). */
const QEMU_PACKAGES = ['qemu-system-x86', 'qemu-utils'] as const;

/** What image building, the namespace and the probe use. */
const TOOL_PACKAGES = [
  'cpio',
  'debian-archive-keyring',
  'e2fsprogs',
  'fping',
  'iproute2',
  'kmod',
  'mmdebstrap',
  'nftables',
  'openssh-client',
  'openssl',
  'procps',
  'xz-utils',
  'zstd',
] as const;

/** What `ensureLabPackages` would install here; empty when the lab can run. */
export function missingLabPackages(): string[] {
  const qemu = hasIgb() ? [] : QEMU_PACKAGES;
  return [...new Set([...qemu, ...missingPackages([...QEMU_PACKAGES, ...TOOL_PACKAGES])])];
}

/**
 * Installs what the lab needs and is not there; logs the names first. Does nothing when all is there.
 * Throws a plain Error that says what to install when this is not root, or with apt's last lines when apt
 * fails.
 */
export async function ensureLabPackages(log: Log): Promise<void> {
  const missing = missingLabPackages();
  if (missing.length === 0) return;
  const from = backportsSuite();
  requireRoot(`install ${missing.join(' ')}${from === null ? '' : ` (QEMU from ${from})`}`);
  await installPackages(TOOL_PACKAGES, { log });
  if (hasIgb() && missingPackages(QEMU_PACKAGES).length === 0) return;
  const suite = await ensureBackports(log);
  await installPackages(QEMU_PACKAGES, { log, suite });
  if (hasIgb()) return;
  // An older QEMU was there already: installPackages leaves what is installed alone, this upgrades it.
  await takePackages(QEMU_PACKAGES, { log, suite });
  if (hasIgb()) return;
  throw new Error(
    'the installed QEMU has no igb device: install QEMU 8 or newer (Debian 12: from bookworm-backports)',
  );
}

/** True if this machine's QEMU emulates the SR-IOV NIC. */
function hasIgb(): boolean {
  const answer = spawnSync('qemu-system-x86_64', ['-device', 'igb,help'], { encoding: 'utf8' });
  return answer.status === 0 && answer.stdout.includes('mac=');
}
