/**
 * The disk of guests with a network manager: a Debian with systemd, NetworkManager, systemd-networkd and
 * ifupdown, of which the guest's kernel command line chooses one (`image/guest/manager.sh`).
 *
 * Lean, because it boots on an emulated CPU: what a guest of the lab does not need is masked.
 * Callers: `build-image.ts`.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildQcow2, putFile, stageTree } from './image-tree.ts';
import { installModules } from './kernel-modules.ts';
import { LAB_DIRECTORY } from './paths.ts';

/** What it takes, and some room for what scenarios write. */
const DISK_MIB = 384;
const UNITS = 'etc/systemd/system';

const MASKED = [
  // Nobody logs in, and no day passes.
  ...[
    'getty.target',
    'serial-getty@ttyS0.service',
    'systemd-logind.service',
    'systemd-user-sessions.service',
  ],
  ...['apt-daily.timer', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'fstrim.timer'],
  ...['systemd-tmpfiles-clean.timer', 'systemd-ask-password-console.path', 'systemd-ask-password-wall.path'],
  // Nothing is to be waited for or brought up to date: the disk is as it was built.
  ...['NetworkManager-wait-online.service', 'systemd-networkd-wait-online.service'],
  ...['systemd-hwdb-update.service', 'ldconfig.service', 'systemd-journal-catalog-update.service'],
  ...['systemd-update-done.service', 'systemd-firstboot.service', 'systemd-sysusers.service'],
  ...['systemd-machine-id-commit.service', 'systemd-random-seed.service', 'systemd-pstore.service'],
  // What this kernel has no modules for, or no guest of the lab uses.
  ...['configfs', 'dm_mod', 'drm', 'efi_pstore', 'fuse', 'loop'].map((name) => `modprobe@${name}.service`),
  ...['proc-sys-fs-binfmt_misc.automount', 'systemd-binfmt.service', 'dev-hugepages.mount'],
  ...['dev-mqueue.mount', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount', 'sys-kernel-config.mount'],
  ...['sys-fs-fuse-connections.mount', 'systemd-hibernate-clear.service'],
];

/** Makes it at `destination`, a qcow2, of its own root file system and modules of the hosts'. */
export async function buildManagedGuestDisk(
  rootfs: string,
  modulesOf: string,
  modules: readonly string[],
  destination: string,
): Promise<void> {
  const stage = `${destination}.stage`;
  await stageTree(rootfs, stage, ['./dev', './proc', './sys', './var/cache', './var/lib/apt']);
  for (const name of ['dev', 'proc', 'sys', 'var/cache']) mkdirSync(join(stage, name));
  await installModules(modulesOf, stage, modules);
  const source = (name: string) => readFileSync(join(LAB_DIRECTORY, 'image/managed-guest', name), 'utf8');
  putFile(stage, 'lab/ready.sh', source('ready.sh'), 0o755);
  for (const unit of ['lab-ready.service', 'lab-sink.service']) {
    putFile(stage, `${UNITS}/${unit}`, source(unit));
    symlinkSync(`../${unit}`, join(stage, UNITS, 'multi-user.target.wants', unit));
  }
  // Logs to memory: the disk may be on a network file system.
  putFile(stage, 'etc/systemd/journald.conf.d/lab.conf', '[Journal]\nStorage=volatile\n');
  putFile(stage, 'etc/fstab', '');
  for (const unit of MASKED) {
    rmSync(join(stage, UNITS, unit), { force: true });
    symlinkSync('/dev/null', join(stage, UNITS, unit));
  }
  await buildQcow2(stage, destination, DISK_MIB);
  rmSync(stage, { recursive: true });
}
