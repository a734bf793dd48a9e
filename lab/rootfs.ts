/**
 * The Debian root file system hosts and guests are made of, from the archive this machine's apt already uses.
 *
 * Cached by its package list: changes of scripts do not rebuild it.
 * Callers: `build-image.ts`.
 */
import type { Log } from '../src/base/log.ts';
import { cachedOr, hashOf } from './cache.ts';
import { run } from './shell.ts';

/** Debian 13: its QEMU, libvirt and kernel are what lab.md's facts were measured with. */
const SUITE = 'trixie';
const DEBIAN_SUITES = ['bookworm', 'trixie', 'stable'];

const PACKAGES = [
  'busybox-static',
  'e2fsprogs',
  'ethtool',
  'iproute2',
  'iputils-ping',
  'kmod',
  'libvirt-clients',
  'libvirt-daemon-driver-qemu',
  'libvirt-daemon-system',
  'linux-image-amd64', // not the cloud kernel: that one has no igb and igbvf
  'netcat-openbsd',
  'nfs-common',
  'nfs-kernel-server',
  'openssh-client',
  'openssh-server',
  'pciutils',
  'qemu-guest-agent',
  'qemu-system-x86',
  'qemu-utils',
  'tcpdump',
  'udev',
];

/** The lab has its own initrd: the one the kernel package would make costs 20 s and 40 MB. */
const NO_INITRD =
  'mkdir -p "$1/usr/local/sbin"; printf "#!/bin/sh\\nexit 0\\n" >"$1/usr/local/sbin/update-initramfs"; ' +
  'chmod 755 "$1/usr/local/sbin/update-initramfs"';

/** Left out: what nobody reads there, and drivers of things the lab does not have. */
const EXCLUDED = [
  ...['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'],
  ...['gpu', 'infiniband', 'media', 'iio', 'staging', 'usb'].map(
    (part) => `/usr/lib/modules/*/drivers/${part}/*`,
  ),
  '/usr/lib/modules/*/sound/*',
];

const OPTIONS = [
  ...['--quiet', '--variant=minbase', '--mode=root', `--include=${PACKAGES.join(',')}`],
  ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=APT::Sandbox::User "root"'],
  ...['--dpkgopt=force-unsafe-io', ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`)],
  `--essential-hook=${NO_INITRD}`,
];

/** Hash of everything the root file system is made from, the archive's state aside. */
export function rootfsKey(): string {
  return hashOf([SUITE, ...OPTIONS]);
}

/** Returns the directory of the root file system, building it first if it is not cached (about a minute). */
export async function ensureRootfs(log: Log): Promise<string> {
  return cachedOr('rootfs', rootfsKey(), async (directory) => {
    const archive = await debianArchive();
    log.info(`building a Debian ${SUITE} root file system from ${archive} (1 to 3 minutes)`);
    // Namespaces of its own, ended with this process: however the build ends, nothing stays mounted or
    // running.
    await run(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
        ...['--pid', '--fork', '--kill-child=KILL', '--mount-proc', 'mmdebstrap'],
        ...OPTIONS,
        ...[SUITE, `${directory}/root`, archive],
      ],
      { limitMs: 1_200_000 },
    );
  }).then((entry) => `${entry}/root`);
}

/** The Debian archive apt uses here; on other systems the one named by `HANDOVER_DEBIAN_ARCHIVE`. */
async function debianArchive(): Promise<string> {
  const named = process.env['HANDOVER_DEBIAN_ARCHIVE'];
  if (named) return named;
  const targets = await run('apt-get', [
    ...['indextargets', '--format', '$(ORIGIN)\t$(CODENAME)\t$(REPO_URI)', 'Created-By: Packages'],
  ]);
  for (const line of targets.split('\n')) {
    const [origin, codename, uri] = line.split('\t');
    if (origin === 'Debian' && uri && DEBIAN_SUITES.includes(codename ?? '')) return uri;
  }
  throw new Error(
    "the lab's hosts are made of Debian packages, and apt has no Debian archive here: " +
      'set HANDOVER_DEBIAN_ARCHIVE to the URL of one',
  );
}
