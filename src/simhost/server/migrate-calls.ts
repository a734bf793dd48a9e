/**
 * Calls of live migration: peer-to-peer in one call, the five phases one by one, limits, statistics, abort.
 */
import {
  JOB_OPERATION,
  JOB_STATS,
  JOB_TYPE,
  MIGRATE,
  MIGRATE_PARAM,
} from '../../libvirt/procedures/flags.ts';
import { param, paramNumber, paramText, type TypedParam } from '../../libvirt/procedures/typed-params.ts';
import type { SimDomain } from '../domain.ts';
import { begin, confirm, perform } from '../migration-source.ts';
import { cookieFor } from '../migration-cookie.ts';
import { finish, prepare } from '../migration-target.ts';
import { migratePeerToPeer } from '../peer-to-peer.ts';
import { refuse } from '../refusal.ts';
import { domainOf, type Handlers, type Session } from './session.ts';

const NO_COOKIE = Buffer.alloc(0);

/** Job statistics as the source, the target and an idle domain answer them. */
function jobStats(domain: SimDomain, flags: number): { type: number; params: readonly TypedParam[] } {
  if (flags & JOB_STATS.completed) {
    const params = domain.completedJob;
    if (!params) return { type: JOB_TYPE.none, params: [] };
    if ((flags & JOB_STATS.keepCompleted) === 0) domain.completedJob = null;
    return { type: JOB_TYPE.completed, params };
  }
  domain.running;
  if (domain.lock.asyncJob === 'migration in') {
    throw refuse('operation_invalid', 'migration statistics are available only on the source host');
  }
  if (domain.transfer) return { type: JOB_TYPE.unbounded, params: domain.transfer.stats() };
  if (domain.lock.asyncJob === null) return { type: JOB_TYPE.none, params: [] };
  return { type: JOB_TYPE.unbounded, params: [param.int('operation', JOB_OPERATION.migrationOut)] };
}

function abortJob(domain: SimDomain): void {
  domain.running;
  if (domain.lock.asyncJob === null) throw refuse('operation_invalid', 'no job is active on the domain');
  if (domain.lock.asyncJob === 'migration in') {
    throw refuse('operation_invalid', 'cannot abort incoming migration; use virDomainDestroy instead');
  }
  domain.abortAsked = true;
  domain.transfer?.abort();
}

/**
 * A begun migration that its client leaves alone: what was started is taken back, what was sent stays as it
 * is.
 */
function holdWhileConnected(session: Session, domain: SimDomain): void {
  const daemon = session.host.daemonSignal();
  session.onEnd(() => {
    if (daemon.aborted || domain.lock.asyncJob !== 'migration out') return;
    if (domain.transfer?.phase === 'sending') domain.transfer.abort();
    domain.transfer = null;
    domain.lock.endAsync();
  });
}

async function performPhase(
  session: Session,
  domain: SimDomain,
  args: { readonly params: readonly TypedParam[]; readonly flags: number },
): Promise<{ cookie: Uint8Array }> {
  const { host, fabric } = session;
  const uri = paramText(args.params, MIGRATE_PARAM.uri);
  if (uri === undefined) throw refuse('invalid_argument', 'no migration URI was given');
  const incoming = fabric.incomingAt(host, uri);
  // Without the job of a begin phase, perform holds the domain itself.
  const held = domain.lock.asyncJob === 'migration out';
  if (!held) await domain.lock.beginAsync('migration out');
  try {
    await perform(fabric, host, domain, incoming, args);
  } catch (error) {
    domain.lock.endAsync();
    throw error;
  }
  return { cookie: cookieFor(host, domain, null) };
}

export const migrateCalls: Handlers = {
  async domainMigrateBegin3Params(session, args) {
    const domain = domainOf(session, args);
    const begun = await begin(session.host, domain, args);
    if (args.flags & MIGRATE.changeProtection) holdWhileConnected(session, domain);
    return begun;
  },
  async domainMigratePrepare3Params(session, args) {
    const { incoming, uri, cookie } = await prepare(session.fabric, session.host, args);
    session.onEnd(() => incoming.connectionLost());
    return { cookie, uri };
  },
  async domainMigratePerform3Params(session, args) {
    const domain = domainOf(session, args);
    if ((args.flags & MIGRATE.peerToPeer) === 0) return performPhase(session, domain, args);
    if (args.destinationUri === null) throw refuse('invalid_argument', 'a destination URI is required');
    await migratePeerToPeer(session.fabric, session.host, domain, args.destinationUri, args);
    return { cookie: NO_COOKIE };
  },
  async domainMigrateFinish3Params(session, args) {
    const name = paramText(args.params, MIGRATE_PARAM.destinationName) ?? '';
    const incoming = session.fabric.incomingOf(session.host, name);
    if (!incoming) throw refuse('operation_failed', `no migration in progress for domain '${name}'`);
    const cookie = await finish(session.host, incoming, args);
    return { dom: incoming.domain.ref, cookie };
  },
  async domainMigrateConfirm3Params(session, args) {
    await confirm(session.host, domainOf(session, args), args);
    return {};
  },
  domainMigrateSetMaxDowntime(session, args) {
    const domain = domainOf(session, args);
    domain.running;
    domain.downtimeMsMax = Number(args.value);
    return {};
  },
  domainMigrateGetMaxDowntime: (session, args) => ({ value: BigInt(domainOf(session, args).downtimeMsMax) }),
  domainMigrateSetMaxSpeed(session, args) {
    const domain = domainOf(session, args);
    if (args.flags === 0) domain.speedMiBpsMax = Number(args.value);
    return {};
  },
  domainMigrateGetMaxSpeed: (session, args) => ({ value: BigInt(domainOf(session, args).speedMiBpsMax) }),
  domainMigrateStartPostCopy(session, args) {
    domainOf(session, args).running;
    throw refuse(
      'operation_invalid',
      'switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag',
    );
  },
  domainGetJobStats: (session, args) => jobStats(domainOf(session, args), args.flags),
  domainAbortJob(session, args) {
    abortJob(domainOf(session, args));
    return {};
  },
  domainAbortJobFlags(session, args) {
    abortJob(domainOf(session, args));
    return {};
  },
  domainGetJobInfo(session, args) {
    const { type, params } = jobStats(domainOf(session, args), 0);
    const value = (field: string): bigint => BigInt(Math.round(paramNumber(params, field) ?? 0));
    return {
      type,
      timeElapsed: value('time_elapsed'),
      timeRemaining: 0n,
      dataTotal: value('data_total'),
      dataProcessed: value('data_processed'),
      dataRemaining: value('data_remaining'),
      memTotal: value('memory_total'),
      memProcessed: value('memory_processed'),
      memRemaining: value('memory_remaining'),
      fileTotal: 0n,
      fileProcessed: 0n,
      fileRemaining: 0n,
    };
  },
};
