/**
 * Live migration driven by the client over two connections, for hosts whose daemons cannot reach each other:
 * begin on the source, prepare on the target, perform on the source, finish on the target, confirm on the
 * source. The order, flags and cookies are those of libvirt's own client (virDomainMigrateVersion3Full).
 *
 * Invariants: a refusal is undone here, as libvirt's client does; an unknown outcome (reply lost, deadline)
 * and a finish that could not be sent are not. Nothing more is sent then, and the error's `detail.phase` says
 * where: only a look at both hosts can tell what is true. If the client dies between two phases the source's
 * daemon ends its part by itself; the target may keep a paused guest.
 */
import { HandoverError } from '../base/errors.ts';
import type { LibvirtClient } from './client.ts';
import {
  type Domain,
  MIGRATE,
  MIGRATE_PARAM,
  param,
  paramText,
  procedures,
  type TypedParam,
  withParam,
  DOMAIN_STATE,
} from './procedures/index.ts';

/** The phases, in order. */
export const DIRECT_PHASES = ['begin', 'prepare', 'perform', 'finish', 'confirm'] as const;
export type DirectPhase = (typeof DIRECT_PHASES)[number];

/** One migration to drive. Both connections are for it alone: the source's is blocked while it performs. */
export interface DirectMigration {
  readonly source: LibvirtClient;
  readonly target: LibvirtClient;
  /** The running domain on the source. */
  readonly domain: Domain;
  /** Mask of `MIGRATE`, without `peerToPeer`. */
  readonly flags: number;
  readonly params: readonly TypedParam[];
  /**
   * Limits of the phases; `performTimeoutMs` is that of the whole transfer, `phaseTimeoutMs` of each other
   * phase.
   */
  readonly performTimeoutMs: number;
  readonly phaseTimeoutMs: number;
  /** Told before each phase is sent. Must not throw. */
  readonly onPhase?: (phase: DirectPhase) => void;
}

const NO_COOKIE = new Uint8Array(0);
/** Flags that concern the source alone. */
const SOURCE_ONLY = MIGRATE.abortOnError | MIGRATE.autoConverge;

/** What goes from phase to phase. */
interface Progress {
  readonly migration: DirectMigration;
  /** With change protection on source calls. */
  readonly sourceFlags: number;
  readonly targetFlags: number;
  params: readonly TypedParam[];
  cookie: Uint8Array;
}

/**
 * Migrates and returns the domain on the target. Throws the error of the phase that failed, with
 * `detail.phase`: after a refusal (`LIBVIRT_REFUSED`; code 78 if the job was aborted) the guest runs on the
 * source and the target has nothing; after any other error look at both hosts.
 */
export async function migrateDirect(migration: DirectMigration): Promise<Domain> {
  const progress = await begin(migration);
  await prepare(progress);
  const performError = await perform(progress);
  const arrived = await finish(progress, performError !== null);
  if (performError) throw performError;
  await confirm(progress, arrived instanceof HandoverError);
  if (arrived instanceof HandoverError) throw arrived;
  return arrived;
}

async function begin(migration: DirectMigration): Promise<Progress> {
  const { source, domain } = migration;
  const { state } = await source.call(
    procedures.domainGetState,
    { dom: domain, flags: 0 },
    { timeoutMs: migration.phaseTimeoutMs },
  );
  // A guest that is paused now must be paused on the target too.
  const flags = migration.flags | (state === DOMAIN_STATE.paused ? MIGRATE.paused : 0);
  const sourceFlags = flags | MIGRATE.changeProtection;
  const { cookie, xml } = await phase(migration, 'begin', () =>
    source.call(
      procedures.domainMigrateBegin3Params,
      { dom: domain, params: migration.params, flags: sourceFlags },
      { timeoutMs: migration.phaseTimeoutMs },
    ),
  );
  const params = withParam(migration.params, param.string(MIGRATE_PARAM.destinationXml, xml));
  return { migration, sourceFlags, targetFlags: flags & ~SOURCE_ONLY, params, cookie };
}

async function prepare(progress: Progress): Promise<void> {
  const { migration, params, cookie, targetFlags } = progress;
  try {
    const prepared = await phase(migration, 'prepare', () =>
      migration.target.call(
        procedures.domainMigratePrepare3Params,
        { params, cookie, flags: targetFlags },
        { timeoutMs: migration.phaseTimeoutMs },
      ),
    );
    progress.cookie = prepared.cookie;
    if (prepared.uri !== null) {
      progress.params = withParam(progress.params, param.string(MIGRATE_PARAM.uri, prepared.uri));
    } else if (paramText(params, MIGRATE_PARAM.uri) === undefined) {
      throw new HandoverError(
        'MIGRATION_FAILED',
        `${migration.target.label} did not say where to migrate to`,
      );
    }
  } catch (error) {
    // Begin opened a job on the source that only confirm ends. The first error is the one that counts.
    progress.cookie = NO_COOKIE;
    if (didNotHappen(error)) await confirm(progress, true).catch(() => {});
    throw error;
  }
}

/** Null, or the refusal; then the source has cancelled by itself and only the target must be told. */
async function perform(progress: Progress): Promise<HandoverError | null> {
  const { migration, params, cookie, sourceFlags } = progress;
  try {
    const performed = await phase(migration, 'perform', () =>
      migration.source.call(
        procedures.domainMigratePerform3Params,
        { dom: migration.domain, destinationUri: null, params, cookie, flags: sourceFlags },
        { timeoutMs: migration.performTimeoutMs },
      ),
    );
    progress.cookie = performed.cookie;
    return null;
  } catch (error) {
    if (!didNotHappen(error)) throw error;
    progress.cookie = NO_COOKIE;
    return error;
  }
}

/** The domain that runs on the target, or why there is none. */
async function finish(progress: Progress, cancelled: boolean): Promise<Domain | HandoverError> {
  const { migration, cookie, targetFlags } = progress;
  const named = paramText(progress.params, MIGRATE_PARAM.destinationName) !== undefined;
  const params = named
    ? progress.params
    : withParam(progress.params, param.string(MIGRATE_PARAM.destinationName, migration.domain.name));
  progress.params = params;
  try {
    const finished = await phase(migration, 'finish', () =>
      migration.target.call(
        procedures.domainMigrateFinish3Params,
        { params, cookie, flags: targetFlags, cancelled },
        { timeoutMs: migration.phaseTimeoutMs },
      ),
    );
    progress.cookie = finished.cookie;
    return finished.dom;
  } catch (error) {
    // Not sent is no answer here: with the target out of reach nobody may resume the source. A refusal also
    // is how a cancelling finish succeeds (code 93, there is no domain to return).
    if (!isRefusal(error)) throw error;
    progress.cookie = NO_COOKIE;
    return error;
  }
}

async function confirm(progress: Progress, cancelled: boolean): Promise<void> {
  const { migration, params, cookie, sourceFlags } = progress;
  await phase(migration, 'confirm', () =>
    migration.source.call(
      procedures.domainMigrateConfirm3Params,
      { dom: migration.domain, params, cookie, flags: sourceFlags, cancelled },
      { timeoutMs: migration.phaseTimeoutMs },
    ),
  );
}

/** Runs one phase; what it throws says which phase that was. */
async function phase<T>(migration: DirectMigration, name: DirectPhase, run: () => Promise<T>): Promise<T> {
  migration.onPhase?.(name);
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HandoverError)) throw error;
    throw new HandoverError(error.code, error.message, {
      detail: { ...error.detail, phase: name },
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    });
  }
}

/** libvirt said no. */
function isRefusal(error: unknown): error is HandoverError {
  return error instanceof HandoverError && (error.kind === 'refused' || error.kind === 'invalid');
}

/** libvirt said no, or the request never left: in both cases it is known that the phase did not happen. */
function didNotHappen(error: unknown): error is HandoverError {
  return isRefusal(error) || (error instanceof HandoverError && error.kind === 'unreachable');
}
