/**
 * Disks: with --copy-storage, an empty image of the right size for every local disk, at the same path on the
 * target. A path that exists there is never touched: the job is refused. Undo removes what this job created,
 * and only that.
 */
import { HandoverError, isCode } from '../../base/errors.ts';
import { type DomainDisk, disksToCopy } from '../../model/domain.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';

export const disks = defineStep<MigrationContext, { disks: DomainDisk[] }>({
  name: 'disks',
  kind: 'reversible',

  async inspect(context) {
    if (!context.params.copyStorage || context.data.transferStartedAt !== undefined) return { disks: [] };
    const domain = await context.source.inspect(context.vmId);
    return { disks: disksToCopy(domain?.disks ?? []) };
  },

  async run(context, seen) {
    if (!context.params.copyStorage) return skipped('storage is shared');
    const { host, hypervisor } = await context.target();
    for (const disk of seen.disks) {
      const path = disk.source as string;
      const others = (context.data.copyDisks ?? []).filter((each) => each.path !== path);
      const begun = others.length < (context.data.copyDisks ?? []).length;
      if (disk.kind !== 'file') {
        throw new HandoverError(
          'MIGRATION_REFUSED',
          `disk ${disk.target} (${path}) is not a file; only file disks can be copied`,
        );
      }
      const there = await hypervisor.inspectFile(path);
      if (there.exists && begun) continue;
      if (there.exists) {
        throw new HandoverError(
          'MIGRATION_REFUSED',
          `${path} already exists on ${host.name}; move it away or leave out --copy-storage`,
        );
      }
      const here = await context.source.inspectFile(path);
      if (here.virtualBytes === null) {
        throw new HandoverError(
          'MIGRATION_REFUSED',
          `the size of ${path} on ${context.sourceHost.name} is unknown`,
        );
      }
      // Recorded before it is created: a crash in between leaves a name to clean, never a file nobody knows
      // of.
      await context.save({ copyDisks: [...others, { target: disk.target, path, created: true }] });
      try {
        await hypervisor.createDisk(path, disk.format ?? 'raw', here.virtualBytes);
      } catch (thrown) {
        // It was refused, so what stands there now is a stranger's: undo must not remove it.
        if (isCode(thrown, 'HOST_COMMAND_FAILED', 'ALREADY_EXISTS'))
          await context.save({ copyDisks: others });
        throw thrown;
      }
    }
    return finished(`${seen.disks.length} disk${seen.disks.length === 1 ? '' : 's'} created on ${host.name}`);
  },

  async undo(context) {
    const created = context.data.copyDisks ?? [];
    if (created.length === 0) return skipped('nothing was created');
    const { hypervisor } = await context.target();
    for (const disk of created) await hypervisor.removeDisk(disk.path);
    await context.save({ copyDisks: [] });
    return finished('disks removed from the target');
  },
});
