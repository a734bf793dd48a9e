/**
 * Moving a domain: the migrate call with its parameters, on a connection of its own, and how it is aborted.
 *
 * An abort asked before libvirt has opened the job finds nothing to abort, so it is asked again until the
 * call settles. What the call answers proves nothing about where the guest is (libvirt said yes for guests
 * that had died and no for guests that had moved): callers inspect both hosts afterwards.
 */
import { abortReason, type Clock } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import {
  DOMAIN_XML,
  type Domain as DomainRef,
  LIBVIRT_CODE,
  type LibvirtClient,
  libvirtCodeOf,
  libvirtMessageOf,
  MIGRATE,
  MIGRATE_PARAM,
  migrateDirect,
  migratePeerToPeer,
  param,
  procedures,
  type TypedParam,
} from '../libvirt/index.ts';
import type { HostConnections } from './connections.ts';
import { definitionWithVfs } from './domain-edit.ts';
import type { MigrateRequest } from './port.ts';
import { acting, domainRef, migrationBlockersOf, nullOn } from './refusals.ts';

const CALL_LIMIT_MS = 30_000;
/** The caller ends a transfer that takes too long; this only keeps a call from lasting for ever. */
const TRANSFER_LIMIT_MS = 24 * 60 * 60 * 1000;
/**
 * Of begin, prepare, finish and confirm. Prepare starts QEMU on the target; confirm ends it on the source.
 */
const PHASE_LIMIT_MS = 120_000;
const ABORT_AGAIN_MS = 500;
/** After an abort the call must end within this, or its outcome is unknown. libvirt needs about 2 s. */
const ABORT_LIMIT_MS = 60_000;

/** Both ends of a move, by name for messages. */
export interface Route {
  readonly source: HostConnections;
  readonly sourceName: string;
  readonly target: HostConnections;
  readonly targetName: string;
}

/** See `Hypervisor.migrate`. */
export async function migrate(
  clock: Clock,
  route: Route,
  request: MigrateRequest,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw abortReason(signal);
  await route.source.withOwn(async (client) => {
    const what = `move the domain to ${route.targetName}`;
    const [{ dom }, params] = await acting(
      route.sourceName,
      what,
      Promise.all([
        client.call(
          procedures.domainLookupByUuid,
          { uuid: request.vmId },
          { timeoutMs: CALL_LIMIT_MS, signal },
        ),
        migrationParams(client, request),
      ]),
    );
    if (signal.aborted) throw abortReason(signal);
    const moving = move(client, dom, params, route, request).catch((error: unknown) => {
      throw refusedMove(error, route.sourceName, what);
    });
    await settleOrAbort(clock, route, dom, moving, signal);
  });
}

async function move(
  source: LibvirtClient,
  domain: DomainRef,
  params: readonly TypedParam[],
  route: Route,
  request: MigrateRequest,
): Promise<void> {
  const flags = migrationFlags(request);
  if (request.protocol === 'p2p') {
    const peerUri = request.peerUri;
    if (peerUri === null) {
      throw new HandoverError('INVALID_INPUT', `${route.targetName} has no URI another host could dial`);
    }
    await migratePeerToPeer({ source, domain, peerUri, flags, params, timeoutMs: TRANSFER_LIMIT_MS });
    return;
  }
  await route.target.withOwn((target) =>
    migrateDirect({
      source,
      target,
      domain,
      flags,
      params,
      performTimeoutMs: TRANSFER_LIMIT_MS,
      phaseTimeoutMs: PHASE_LIMIT_MS,
    }),
  );
}

/**
 * Waits for the move; once the signal aborts, asks libvirt to abort until the move ends or the limit is
 * reached. Whoever has lost the claim acts no more: the wait ends, and a peer-to-peer move goes on for who
 * has it now.
 */
async function settleOrAbort(
  clock: Clock,
  route: Route,
  dom: DomainRef,
  moving: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const settled = new AbortController();
  const ended = moving.finally(() => settled.abort());
  const aborted = whenAborted(signal, settled.signal).then(async (abort) => {
    if (!abort) return;
    if (isCode(signal.reason, 'CLAIM_LOST')) throw signal.reason;
    const endMs = clock.monotonicMs() + ABORT_LIMIT_MS;
    while (!settled.signal.aborted && clock.monotonicMs() < endMs) {
      await abortJob(await route.source.work(), route.sourceName, dom.uuid as VmId);
      await clock.sleep(ABORT_AGAIN_MS, settled.signal).catch(() => {});
    }
    if (settled.signal.aborted) return;
    throw new HandoverError(
      'CALL_TIMED_OUT',
      `${route.sourceName} did not abort the migration within ${ABORT_LIMIT_MS} ms: look at both hosts`,
    );
  });
  // A failed abort is no answer yet: the move itself still is. Only the limit above may end the wait.
  await Promise.race([
    ended,
    aborted.then(
      () => ended,
      (error: unknown) => giveUp(error, ended),
    ),
  ]);
}

function giveUp(error: unknown, ended: Promise<void>): Promise<void> {
  return isCode(error, 'CALL_TIMED_OUT', 'CLAIM_LOST') ? Promise.reject(error) : ended;
}

/** True when `signal` aborts, false when `settled` does before. */
function whenAborted(signal: AbortSignal, settled: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const onAbort = () => resolve(true);
    signal.addEventListener('abort', onAbort, { once: true });
    settled.addEventListener(
      'abort',
      () => {
        signal.removeEventListener('abort', onAbort);
        resolve(false);
      },
      { once: true },
    );
    if (signal.aborted) resolve(true);
  });
}

/** See `Hypervisor.abortMigration`. */
export async function abortJob(client: LibvirtClient, where: string, vmId: VmId): Promise<void> {
  const call = client.call(procedures.domainAbortJob, { dom: domainRef(vmId) }, { timeoutMs: CALL_LIMIT_MS });
  // Operation invalid: no job, or the domain is not running.
  const refusable = nullOn(call, LIBVIRT_CODE.operationInvalid, LIBVIRT_CODE.noDomain);
  await acting(where, 'abort the migration', refusable);
}

/** See `Hypervisor.migrationBlockers`. */
export async function lookForBlockers(
  client: LibvirtClient,
  where: string,
  vmId: VmId,
  copyStorage: boolean,
): Promise<readonly string[]> {
  const flags = MIGRATE.live | (copyStorage ? MIGRATE.nonSharedDisk : 0);
  try {
    await client.call(
      procedures.domainMigrateBegin3Params,
      { dom: domainRef(vmId), params: [], flags },
      { timeoutMs: CALL_LIMIT_MS },
    );
    return [];
  } catch (error) {
    const blockers = migrationBlockersOf(error);
    if (blockers) return blockers;
    return acting(where, 'check whether the domain may move', Promise.reject(error));
  }
}

function migrationFlags(request: MigrateRequest): number {
  return (
    MIGRATE.live |
    MIGRATE.autoConverge |
    (request.persistent ? MIGRATE.persistDest | MIGRATE.undefineSource : 0) |
    (request.copyDisks.length > 0 ? MIGRATE.nonSharedDisk : 0)
  );
}

async function migrationParams(client: LibvirtClient, request: MigrateRequest): Promise<TypedParam[]> {
  const params = request.copyDisks.map((disk) => param.string(MIGRATE_PARAM.disks, disk));
  if (request.migrationAddress !== null) {
    params.push(param.string(MIGRATE_PARAM.uri, `tcp://${bracketed(request.migrationAddress)}`));
  }
  if (request.bandwidthMiBps !== null) {
    params.push(param.ullong(MIGRATE_PARAM.bandwidth, BigInt(request.bandwidthMiBps)));
  }
  if (request.persistent) {
    // Without it libvirt would carry the source's VF addresses into the target's definition, silently.
    const { xml } = await client.call(
      procedures.domainGetXmlDesc,
      { dom: domainRef(request.vmId), flags: DOMAIN_XML.inactive | DOMAIN_XML.secure },
      { timeoutMs: CALL_LIMIT_MS },
    );
    params.push(param.string(MIGRATE_PARAM.persistentXml, definitionWithVfs(xml, request.configVfs)));
  }
  return params;
}

const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address);

function refusedMove(error: unknown, where: string, what: string): unknown {
  if (libvirtCodeOf(error) === undefined) return error;
  return new HandoverError('LIBVIRT_REFUSED', `${where} refused to ${what}: ${libvirtMessageOf(error)}`, {
    detail: (error as HandoverError).detail,
  });
}
