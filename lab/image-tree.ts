/**
 * The trees that become disks: made of a root file system, changed, packed.
 *
 * Invariant: a staged tree has hard links to the root file system's files, so nothing in it is changed in
 * place (`putFile` makes new ones). Callers: `build-image.ts`, `build-managed-guest.ts`.
 */
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, runBytes } from './shell.ts';

/** Everything of `rootfs` into the new directory `stage`, but for `left` (paths like `./boot`). */
export async function stageTree(rootfs: string, stage: string, left: readonly string[]): Promise<void> {
  const prune = left.flatMap((path) => ['-path', path, '-prune', '-o']);
  const names = await runBytes('find', ['.', ...prune, '-print0'], { cwd: rootfs });
  mkdirSync(stage);
  await run('cpio', ['-0', '-pdl', '--quiet', stage], { cwd: rootfs, input: names });
}

/** Writes the file `path` of a staged tree anew, with its directories. */
export function putFile(stage: string, path: string, content: string, mode = 0o644): void {
  rmSync(join(stage, path), { force: true });
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  writeFileSync(join(stage, path), content, { mode });
}

/** An ext4 disk of `tree` in the raw file `destination`, which is sparse. */
export async function buildDisk(tree: string, destination: string, sizeMiB: number): Promise<void> {
  writeFileSync(destination, '');
  truncateSync(destination, sizeMiB * 1024 * 1024);
  const features = ['-O', '^has_journal,^metadata_csum', '-E', 'lazy_itable_init=1'];
  await run('mke2fs', ['-q', '-t', 'ext4', ...features, '-d', tree, destination]);
}

/** The same as a qcow2, for guests. */
export async function buildQcow2(tree: string, destination: string, sizeMiB: number): Promise<void> {
  const raw = `${destination}.raw`;
  await buildDisk(tree, raw, sizeMiB);
  await run('qemu-img', ['convert', '-q', '-O', 'qcow2', raw, destination]);
  rmSync(raw);
}
