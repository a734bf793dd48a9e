/**
 * Builds what the lab boots: the hosts' disk, kernel and initrd, and inside them the guests' kernel, initrd
 * and disks.
 *
 * Cached by the hash of its inputs; about half a minute once the root file systems are there. Needs root
 * (chroot, device ownership in the image). Entries of an image directory: see `imagePaths`.
 * Callers: `bake.ts`, `lab.ts`.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Log } from '../src/base/log.ts';
import { buildManagedGuestDisk } from './build-managed-guest.ts';
import { cached, cachedOr, hashOf, sourcesOf } from './cache.ts';
import { buildDisk, buildQcow2, putFile, stageTree } from './image-tree.ts';
import { installModules, installPrograms, kernelRelease, numberModules } from './kernel-modules.ts';
import { makeKeys } from './keys.ts';
import { type ImagePaths, imagePaths, LAB_DIRECTORY } from './paths.ts';
import { ensureRootfs, rootfsKey } from './rootfs.ts';
import { run, runBytes } from './shell.ts';
import { HOST_LETTERS, hostsFile } from './topology.ts';

const HOST_MODULES = [
  ...['virtio_blk', 'ext4', 'virtio_net', 'virtio_rng', 'virtio_console', 'af_packet'],
  ...['igb', 'igbvf', 'vfio-pci', 'vfio_iommu_type1', 'kvm-amd'],
  ...['bridge', 'bonding', '8021q', 'tun', 'tap', 'macvtap', 'vhost_net', 'nf_tables', 'nft_compat'],
  ...['nfsd', 'nfsv4', 'loop'],
];
const GUEST_MODULES = [
  ...[
    'virtio_net',
    'igbvf',
    'bonding',
    'virtio_console',
    'virtio_rng',
    'virtio_balloon',
    'af_packet',
    'button',
  ],
  ...['virtio_blk', 'ext4'],
];
/** People put VLANs on bonds. */
const MANAGED_GUEST_MODULES = [...GUEST_MODULES, '8021q'];
const GUEST_PROGRAMS = ['/usr/sbin/qemu-ga', '/usr/sbin/ip', '/usr/sbin/ethtool', '/usr/bin/lspci'];

/** Room for logs, guests' local disks and the shared storage; sparse. */
const HOST_DISK_MIB = 3072;
const GUEST_DISK_MIB = 64;

const SOURCES = [
  ...['build-image.ts', 'build-managed-guest.ts', 'image-tree.ts', 'kernel-modules.ts', 'keys.ts'],
  ...['topology.ts', 'image'],
];

/** Hash of everything an image is made from. */
export function imageKey(): string {
  return hashOf([rootfsKey('host'), rootfsKey('managedGuest'), ...sourcesOf(...SOURCES)]);
}

/** Returns the image, building it first if it is not cached. */
export async function ensureImage(log: Log): Promise<ImagePaths> {
  const key = imageKey();
  const isThere = cached('image', key) !== undefined;
  const rootfs = isThere ? '' : await ensureRootfs('host', log);
  const managedRootfs = isThere ? '' : await ensureRootfs('managedGuest', log);
  const entry = await cachedOr('image', key, async (directory) => {
    log.info('building the images of hosts and guests');
    await buildImage(rootfs, managedRootfs, imagePaths(directory));
  });
  return imagePaths(entry);
}

async function buildImage(rootfs: string, managedRootfs: string, image: ImagePaths): Promise<void> {
  const stage = (name: string) => join(image.directory, `stage-${name}`);
  // Two builds from the same inputs have different keys and disks: a snapshot belongs to one of them.
  writeFileSync(join(image.directory, 'id'), randomUUID());
  mkdirSync(dirname(image.sshKey));
  await makeKeys(dirname(image.sshKey));
  const vmlinuz = join(rootfs, 'boot', `vmlinuz-${kernelRelease(rootfs)}`);
  await extractKernel(vmlinuz, image.hostKernel);
  await buildHostInitrd(rootfs, stage('initrd'), image.hostInitrd);
  await stageGuest(rootfs, stage('guest'));
  await stageHost(rootfs, stage('host'), dirname(image.sshKey));
  const guestFiles = join(stage('host'), 'lab');
  copyFileSync(vmlinuz, join(guestFiles, 'vmlinuz'));
  await packInitrd(stage('guest'), join(guestFiles, 'guest.initrd'));
  await buildGuestDisk(stage('guest'), join(guestFiles, 'guest-disk.qcow2'));
  const managed = join(guestFiles, 'managed-guest.qcow2');
  await buildManagedGuestDisk(managedRootfs, rootfs, MANAGED_GUEST_MODULES, managed);
  await buildDisk(stage('host'), image.hostDisk, HOST_DISK_MIB);
  for (const name of ['initrd', 'guest', 'host']) rmSync(stage(name), { recursive: true });
}

/**
 * The uncompressed kernel out of a bzImage: QEMU boots it directly, and emulated decompression takes seconds.
 */
async function extractKernel(vmlinuz: string, destination: string): Promise<void> {
  const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
  const bytes = readFileSync(vmlinuz);
  for (let at = bytes.indexOf(ZSTD_MAGIC); at >= 0; at = bytes.indexOf(ZSTD_MAGIC, at + 1)) {
    // What follows the compressed kernel is not zstd: the tool complains after having written all of it.
    const unpacked = await unpackAt(bytes.subarray(at));
    if (!unpacked.subarray(0, 4).equals(ELF_MAGIC)) continue;
    writeFileSync(destination, unpacked);
    return;
  }
  throw new Error(`${vmlinuz} holds no zstd-compressed kernel`);
}

async function unpackAt(bytes: Buffer): Promise<Buffer> {
  return runBytes('sh', ['-c', 'zstd -dcq 2>/dev/null || true'], { input: bytes });
}

async function buildHostInitrd(rootfs: string, stage: string, destination: string): Promise<void> {
  for (const name of ['bin', 'proc', 'dev', 'mnt', 'modules'])
    mkdirSync(join(stage, name), { recursive: true });
  copyFileSync(join(rootfs, 'usr/bin/busybox'), join(stage, 'bin/busybox'));
  await numberModules(rootfs, join(stage, 'modules'), ['virtio_blk', 'ext4']);
  installScript('host/initrd-init.sh', join(stage, 'init'));
  await packInitrd(stage, destination);
}

async function stageGuest(rootfs: string, stage: string): Promise<void> {
  const directories = [
    'bin',
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'etc',
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'lab',
  ];
  for (const name of directories) mkdirSync(join(stage, name), { recursive: true });
  copyFileSync(join(rootfs, 'usr/bin/busybox'), join(stage, 'bin/busybox'));
  await run('chroot', [stage, '/bin/busybox', '--install', '-s', '/bin']);
  symlinkSync('usr/lib64', join(stage, 'lib64'));
  symlinkSync('bin', join(stage, 'sbin'));
  await installModules(rootfs, stage, GUEST_MODULES);
  await installPrograms(rootfs, stage, GUEST_PROGRAMS);
  installScript('guest/init.sh', join(stage, 'init'));
  installScript('guest/nic.sh', join(stage, 'lab/nic.sh'));
  installScript('guest/manager.sh', join(stage, 'lab/manager.sh'));
}

async function stageHost(rootfs: string, stage: string, keys: string): Promise<void> {
  const left = ['./usr/lib/modules', './boot', './var/cache', './var/lib/apt', './dev', './proc', './sys'];
  await stageTree(rootfs, stage, left);
  for (const name of ['dev', 'proc', 'sys', 'boot', 'var/cache', 'root/.ssh', 'lab', 'srv/export']) {
    mkdirSync(join(stage, name), { recursive: true });
  }
  await installModules(rootfs, stage, HOST_MODULES);
  const put = (path: string, content: string, mode?: number) => putFile(stage, path, content, mode);
  const source = (name: string) => readFileSync(join(LAB_DIRECTORY, 'image/host', name), 'utf8');
  put('etc/hosts', hostsFile());
  put('etc/exports', source('exports'));
  put('etc/ssh/sshd_config', source('sshd_config'));
  put('etc/libvirt/libvirtd.conf', source('libvirtd.conf'));
  put('etc/libvirt/qemu.conf', source('qemu.conf'));
  put('lab/init', source('init.sh'), 0o755);
  put('usr/local/bin/guest-exec', source('guest-exec.sh'), 0o755);
  put('usr/local/bin/guest-write', source('guest-write.sh'), 0o755);
  stageAccess(put, keys);
  rmSync(join(stage, 'etc/libvirt/qemu/networks/autostart/default.xml'), { force: true });
  rmSync(join(stage, 'etc/machine-id'), { force: true });
  for (const letter of HOST_LETTERS) {
    cpSync(join(keys, `host-${letter}`), join(stage, `lab/host-${letter}`), { recursive: true });
  }
  chmodSync(join(stage, 'root/.ssh'), 0o700);
}

/**
 * Who may log in to the hosts as root: the engine's key and the hosts' own, so that hosts reach each other.
 */
function stageAccess(put: (path: string, content: string, mode?: number) => void, keys: string): void {
  const key = (name: string) => readFileSync(join(keys, name), 'utf8');
  put('root/.ssh/authorized_keys', key('engine_ed25519.pub') + key('hosts_ed25519.pub'), 0o600);
  put('root/.ssh/id_ed25519', key('hosts_ed25519'), 0o600);
  put('root/.ssh/known_hosts', key('known_hosts'));
  put('root/.ssh/config', 'Host *\n StrictHostKeyChecking yes\n BatchMode yes\n', 0o600);
}

/** A root disk for guests: the same tree as their initrd; the mark tells the init script where it runs. */
async function buildGuestDisk(stage: string, destination: string): Promise<void> {
  const tree = `${stage}-disk`;
  await run('cp', ['-a', stage, tree]);
  writeFileSync(join(tree, 'disk-root'), '');
  await buildQcow2(tree, destination, GUEST_DISK_MIB);
  rmSync(tree, { recursive: true });
}

/** Uncompressed: cheaper for an emulated CPU. */
async function packInitrd(tree: string, destination: string): Promise<void> {
  const names = await runBytes('find', ['.', '-print0'], { cwd: tree });
  writeFileSync(
    destination,
    await runBytes('cpio', ['-0', '-o', '-H', 'newc', '--quiet'], { cwd: tree, input: names }),
  );
}

function installScript(source: string, destination: string): void {
  copyFileSync(join(LAB_DIRECTORY, 'image', source), destination);
  chmodSync(destination, 0o755);
}
