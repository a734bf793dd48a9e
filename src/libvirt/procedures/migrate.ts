/**
 * Procedures of live migration, version 3 with typed parameters. Peer-to-peer is
 * `domainMigratePerform3Params` alone, sent to the source with a `destinationUri`; the other four exist for a
 * migration driven by the client.
 */
import { flag, struct, uhyper, uint } from '../xdr/codec.ts';
import { remote } from './procedure.ts';
import { typedParams } from './typed-params.ts';
import { cookie, domain, domainAndFlags, nothing, optionalText, text } from './types.ts';

const params = typedParams(64);
const setLimit = struct({ dom: domain, value: uhyper, flags: uint });

/** The five phases and the limits of a running migration. */
export const migrateProcedures = {
  /** On the source. Without `MIGRATE.changeProtection` only checks and starts nothing: the preflight. */
  domainMigrateBegin3Params: remote(
    302,
    'domain_migrate_begin3_params',
    'low',
    struct({ dom: domain, params, flags: uint }),
    struct({ cookie, xml: text }),
  ),
  /** On the target: starts the paused QEMU that will take the guest. */
  domainMigratePrepare3Params: remote(
    303,
    'domain_migrate_prepare3_params',
    'low',
    struct({ params, cookie, flags: uint }),
    struct({ cookie, uri: optionalText }),
  ),
  /**
   * On the source: blocks until the transfer is over. Alone on its connection, else it holds up the others.
   */
  domainMigratePerform3Params: remote(
    305,
    'domain_migrate_perform3_params',
    'low',
    struct({ dom: domain, destinationUri: optionalText, params, cookie, flags: uint }),
    struct({ cookie }),
  ),
  /** On the target: resumes the guest, or ends it if `cancelled`. */
  domainMigrateFinish3Params: remote(
    306,
    'domain_migrate_finish3_params',
    'low',
    struct({ params, cookie, flags: uint, cancelled: flag }),
    struct({ dom: domain, cookie }),
  ),
  /** On the source: ends it, or resumes it if `cancelled`. */
  domainMigrateConfirm3Params: remote(
    307,
    'domain_migrate_confirm3_params',
    'low',
    struct({ dom: domain, params, cookie, flags: uint, cancelled: flag }),
    nothing,
  ),
  /** Longest pause at the switch-over, ms. May be changed while the migration runs. */
  domainMigrateSetMaxDowntime: remote(166, 'domain_migrate_set_max_downtime', 'low', setLimit, nothing),
  domainMigrateGetMaxDowntime: remote(
    387,
    'domain_migrate_get_max_downtime',
    'low',
    domainAndFlags,
    struct({ value: uhyper }),
  ),
  /** Bandwidth, MiB/s; flag 1 is the one of post-copy. May be changed while the migration runs. */
  domainMigrateSetMaxSpeed: remote(207, 'domain_migrate_set_max_speed', 'low', setLimit, nothing),
  domainMigrateGetMaxSpeed: remote(
    242,
    'domain_migrate_get_max_speed',
    'low',
    domainAndFlags,
    struct({ value: uhyper }),
  ),
  /** Only in a migration begun with `MIGRATE.postcopy`. */
  domainMigrateStartPostCopy: remote(364, 'domain_migrate_start_post_copy', 'low', domainAndFlags, nothing),
};
