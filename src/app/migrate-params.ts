/**
 * What a job is asked to do, from what a caller asked for and the limits that hold where nothing was said.
 */
import { HandoverError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { MigrateParams } from '../model/job.ts';
import type { Vm } from '../model/vm.ts';
import type { MigrateOptions } from './use-cases.ts';

/** oVirt, KubeVirt: a guest has 30 s to give a device back. */
const UNPLUG_TIMEOUT_MS = 30_000;
const DOWNTIME_MS_MAX = 500;
const TRANSFER_TIMEOUT_MS = 60 * 60_000;

/** Throws `INVALID_INPUT` for what is out of range. */
export function migrateParams(vm: Vm, sourceHostId: HostId, options: MigrateOptions): MigrateParams {
  return {
    vmId: vm.id,
    vmName: vm.name,
    sourceHostId,
    targetHostId: options.targetHostId ?? null,
    copyStorage: options.copyStorage ?? false,
    unplugTimeoutMs: inRange(
      'unplug timeout',
      options.unplugTimeoutMs ?? UNPLUG_TIMEOUT_MS,
      1_000,
      600_000,
      SECONDS,
    ),
    downtimeMsMax: inRange(
      'downtime limit',
      options.downtimeMsMax ?? DOWNTIME_MS_MAX,
      1,
      60_000,
      MILLISECONDS,
    ),
    bandwidthMiBps:
      options.bandwidthMiBps == null
        ? null
        : inRange('bandwidth', options.bandwidthMiBps, 1, 1_000_000, MIBPS),
    transferTimeoutMs: inRange(
      'transfer timeout',
      options.transferTimeoutMs ?? TRANSFER_TIMEOUT_MS,
      1_000,
      24 * 3_600_000,
      SECONDS,
    ),
  };
}

/** In what people give a limit; `one` is how many of ours that is. */
const SECONDS = { name: 's', one: 1_000 };
const MILLISECONDS = { name: 'ms', one: 1 };
const MIBPS = { name: 'MiB/s', one: 1 };

function inRange(
  what: string,
  value: number,
  least: number,
  most: number,
  { name, one }: typeof SECONDS,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new HandoverError(
    'INVALID_INPUT',
    `the ${what} is ${value / one} ${name}; it must be from ${least / one} to ${most / one} ${name}`,
  );
}
