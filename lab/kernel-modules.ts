/**
 * Copies the kernel modules an image needs, with what they depend on, and the programs with their libraries.
 *
 * Modules are unpacked: decompressing them in an emulated host is what costs there.
 * Callers: `build-image.ts`.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run, runBytes, tryRun } from './shell.ts';

/** The kernel release in `rootfs`. */
export function kernelRelease(rootfs: string): string {
  const release = readdirSync(join(rootfs, 'usr/lib/modules'))[0];
  if (!release) throw new Error(`${rootfs} has no kernel modules: remove it to have it built again`);
  return release;
}

/** Paths of `modules` and all they need below `rootfs`, in loading order. */
async function moduleFiles(rootfs: string, modules: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const name of modules) {
    const shown = await run('chroot', [
      ...[rootfs, 'modprobe', '-S', kernelRelease(rootfs), '--show-depends', name],
    ]);
    for (const line of shown.split('\n')) {
      const [verb, path] = line.trim().split(/\s+/);
      if (verb === 'insmod' && path) files.add(join(rootfs, path));
    }
  }
  return [...files];
}

async function unpackModule(file: string, destination: string): Promise<void> {
  if (!file.endsWith('.xz')) copyFileSync(file, destination);
  else writeFileSync(destination, await runBytes('xz', ['-dc', file]));
}

/**
 * Makes `/usr/lib/modules` of `tree` with `modules` only, ready for modprobe; `/lib` is a link to `/usr/lib`.
 */
export async function installModules(
  rootfs: string,
  tree: string,
  modules: readonly string[],
): Promise<void> {
  const release = kernelRelease(rootfs);
  const from = join(rootfs, 'usr/lib/modules', release);
  const to = join(tree, 'usr/lib/modules', release);
  mkdirSync(to, { recursive: true });
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    copyFileSync(join(from, name), join(to, name));
  }
  for (const file of await moduleFiles(rootfs, modules)) {
    const inTree = file.slice(file.indexOf(`/${release}/`) + release.length + 2).replace(/\.xz$/, '');
    mkdirSync(dirname(join(to, inTree)), { recursive: true });
    await unpackModule(file, join(to, inTree));
  }
  if (!existsSync(join(tree, 'lib'))) symlinkSync('usr/lib', join(tree, 'lib'));
  await run('depmod', ['-b', tree, release]);
}

/**
 * Puts `modules` and what they need into `directory`, named so that the shell's order is the loading order.
 */
export async function numberModules(rootfs: string, directory: string, modules: readonly string[]) {
  let number = 10;
  for (const file of await moduleFiles(rootfs, modules)) {
    await unpackModule(file, join(directory, `${number++}-${basename(file).replace(/\.xz$/, '')}`));
  }
}

/** Copies programs of `rootfs` with their shared libraries to the same places in `tree`. */
export async function installPrograms(
  rootfs: string,
  tree: string,
  programs: readonly string[],
): Promise<void> {
  for (const program of programs) {
    const libraries = (await tryRun('chroot', [rootfs, 'ldd', program])).stdout.toString();
    const needed = [...libraries.matchAll(/(\/[^ \n]+) \(0x/g)].map((match) => match[1] ?? '');
    for (const path of [program, ...needed]) {
      // Debian's /lib and /lib64 are links into /usr; the copy has the same links.
      const real = path.replace(/^\/lib/, '/usr/lib');
      mkdirSync(join(tree, dirname(real)), { recursive: true });
      copyFileSync(join(rootfs, real), join(tree, real));
    }
  }
}
