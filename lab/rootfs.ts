/**
 * The Debian root file systems hosts and guests are made of, from the archive this machine's apt already
 * uses, where that is one of Debian's: one for the hosts and the ordinary guest, one for guests with a
 * network manager.
 *
 * Each is cached by its package list: changes of scripts do not rebuild it.
 * Callers: `build-image.ts`.
 */
import type { Log } from '../src/base/log.ts';
import { cachedOr, hashOf } from './cache.ts';
import { run } from './shell.ts';

/** Debian 13: its QEMU, libvirt and kernel are what lab.md's facts were measured with. */
const SUITE = 'trixie';
const DEBIAN_SUITES = ['bookworm', 'trixie', 'stable'];
/** Whose keys apt does not trust by itself where it has no archive of Debian's. */
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const HOST_PACKAGES = [
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

/** No kernel: its modules are those of the hosts. */
const MANAGED_GUEST_PACKAGES = [
  'busybox-static',
  'dbus',
  'ethtool',
  'ifupdown',
  'iproute2',
  'kmod',
  'network-manager',
  'qemu-guest-agent',
  'systemd-sysv',
  'udev',
];

/** Whose root file system: the cache's name of it, and what is in it beside Debian's required packages. */
const KINDS = {
  host: { cacheName: 'rootfs', packages: HOST_PACKAGES },
  managedGuest: { cacheName: 'guest-rootfs', packages: MANAGED_GUEST_PACKAGES },
} as const;
export type RootfsKind = keyof typeof KINDS;

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

const optionsOf = (kind: RootfsKind): string[] => [
  ...['--quiet', '--variant=minbase', '--mode=root', `--include=${KINDS[kind].packages.join(',')}`],
  ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=APT::Sandbox::User "root"'],
  ...['--dpkgopt=force-unsafe-io', ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`)],
  `--essential-hook=${NO_INITRD}`,
];

/** Hash of everything the root file system is made from, the archive's state aside. */
export function rootfsKey(kind: RootfsKind): string {
  return hashOf([SUITE, ...optionsOf(kind)]);
}

/** Returns the directory of the root file system, building it first if it is not cached (about a minute). */
export async function ensureRootfs(kind: RootfsKind, log: Log): Promise<string> {
  return cachedOr(KINDS[kind].cacheName, rootfsKey(kind), async (directory) => {
    const own = archiveAmong(await indexTargets());
    const archive = process.env['HANDOVER_DEBIAN_ARCHIVE'] || own;
    const from = archive ?? "Debian's own archive";
    log.info(`building a Debian ${SUITE} root file system (${kind}) from ${from} (1 to 3 minutes)`);
    // Namespaces of its own, ended with this process: however the build ends, nothing stays mounted or
    // running.
    await run(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
        ...['--pid', '--fork', '--kill-child=KILL', '--mount-proc', 'mmdebstrap'],
        ...optionsOf(kind),
        ...(own === null ? [`--keyring=${DEBIAN_KEYRING}`] : []),
        ...[SUITE, `${directory}/root`],
        // The whole line: apt knows archives whose names mmdebstrap would take for files.
        ...(archive === null ? [] : [`deb ${archive} ${SUITE} main`]),
      ],
      { limitMs: 1_200_000 },
    );
  }).then((entry) => `${entry}/root`);
}

function indexTargets(): Promise<string> {
  const format = '$(ORIGIN)\t$(CODENAME)\t$(REPO_URI)';
  return run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
}

/**
 * The first archive of a Debian release among `targets`, lines of origin, codename and URI. Null on Ubuntu:
 * mmdebstrap then takes Debian's own.
 */
export function archiveAmong(targets: string): string | null {
  for (const line of targets.split('\n')) {
    const [origin, codename, uri] = line.split('\t');
    if (origin === 'Debian' && uri && DEBIAN_SUITES.includes(codename ?? '')) return uri;
  }
  return null;
}
