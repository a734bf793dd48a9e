/** Migration jobs as libvirt reports them, from either side. Used by the look verbs. */
import type { VmId } from '../base/ids.ts';
import {
  DOMAIN_STATE,
  isLibvirtCode,
  JOB_OPERATION,
  JOB_STATS,
  JOB_TYPE,
  LIBVIRT_CODE,
  type LibvirtClient,
  paramNumber,
  procedures,
  type TypedParam,
} from '../libvirt/index.ts';
import type { MigrationProgress } from './port.ts';
import { domainRef, nullOn } from './refusals.ts';

/** It may wait for a job lock of the domain, which libvirt gives up after 30 s. */
const LOOK_LIMIT_MS = 45_000;
/** States with a QEMU process. */
const ACTIVE: readonly number[] = [
  DOMAIN_STATE.running,
  DOMAIN_STATE.blocked,
  DOMAIN_STATE.paused,
  DOMAIN_STATE.shutdown,
  DOMAIN_STATE.pmSuspended,
];
const TARGET_SIDE: MigrationProgress = {
  side: 'target',
  elapsedMs: 0,
  bytesTotal: 0,
  bytesProcessed: 0,
  bytesRemaining: 0,
  dirtyBytesPerSecond: 0,
  iteration: 0,
};

/** See `Hypervisor.migrationProgress`. */
export async function lookAtMigration(client: LibvirtClient, vmId: VmId): Promise<MigrationProgress | null> {
  const dom = domainRef(vmId);
  try {
    const { type, params } = await client.call(
      procedures.domainGetJobStats,
      { dom, flags: 0 },
      { timeoutMs: LOOK_LIMIT_MS },
    );
    return type === JOB_TYPE.bounded || type === JOB_TYPE.unbounded ? progressOf(params) : null;
  } catch (error) {
    if (isLibvirtCode(error, LIBVIRT_CODE.noDomain)) return null;
    // An incoming migration: "statistics are available only on the source host", unsupported (84) in libvirt
    // 11.3, invalid (55) in others, which also say 55 for a domain that is not running.
    if (!isLibvirtCode(error, LIBVIRT_CODE.operationUnsupported, LIBVIRT_CODE.operationInvalid)) throw error;
    const state = await nullOn(
      client.call(procedures.domainGetState, { dom, flags: 0 }),
      LIBVIRT_CODE.noDomain,
    );
    return state && ACTIVE.includes(state.state) ? TARGET_SIDE : null;
  }
}

/** See `Hypervisor.migrationDowntimeMs`. */
export async function lookAtDowntime(client: LibvirtClient, vmId: VmId): Promise<number | null> {
  const completed = await nullOn(
    client.call(
      procedures.domainGetJobStats,
      { dom: domainRef(vmId), flags: JOB_STATS.completed | JOB_STATS.keepCompleted },
      { timeoutMs: LOOK_LIMIT_MS },
    ),
    LIBVIRT_CODE.noDomain,
    LIBVIRT_CODE.operationInvalid,
  );
  if (completed?.type !== JOB_TYPE.completed || !isMigration(completed.params)) return null;
  return paramNumber(completed.params, 'downtime') ?? null;
}

function progressOf(params: readonly TypedParam[]): MigrationProgress | null {
  if (!isMigration(params)) return null;
  const value = (field: string) => paramNumber(params, field) ?? 0;
  return {
    side: paramNumber(params, 'operation') === JOB_OPERATION.migrationIn ? 'target' : 'source',
    elapsedMs: value('time_elapsed'),
    bytesTotal: value('data_total'),
    bytesProcessed: value('data_processed'),
    bytesRemaining: value('data_remaining'),
    dirtyBytesPerSecond: value('memory_dirty_rate') * value('memory_page_size'),
    iteration: value('memory_iteration'),
  };
}

/**
 * Saving, snapshots, dumps and backups are jobs too. A job that does not say what it is may be a migration.
 */
function isMigration(params: readonly TypedParam[]): boolean {
  const operation = paramNumber(params, 'operation') ?? JOB_OPERATION.unknown;
  const migrations: readonly number[] = [
    JOB_OPERATION.unknown,
    JOB_OPERATION.migrationIn,
    JOB_OPERATION.migrationOut,
  ];
  return migrations.includes(operation);
}
