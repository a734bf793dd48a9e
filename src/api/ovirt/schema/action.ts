/** Actions, and the explained plan that one of them answers with. */
import { bool, entity, int, list, ref, struct, text } from '../wire/fields.ts';
import { fault } from './api.ts';
import { hostNicType } from './host.ts';

const planReason = struct({ code: text, message: text, nic: ref('nic') });
const planReasons = list('reason', planReason);

/** Extension: the scheduler's explained answer, see `MigrationPlan`. */
export const migrationPlan = struct({
  possible: bool,
  vm: ref('vm'),
  source_host: ref('host'),
  chosen_host: ref('host'),
  refusals: planReasons,
  warnings: planReasons,
  hosts: list(
    'candidate',
    struct({
      host: ref('host'),
      fits: bool,
      protocol: text,
      score: int,
      reasons: planReasons,
      warnings: planReasons,
      assignments: list(
        'assignment',
        struct({
          nic: ref('nic'),
          source_pf: text,
          source_vf: text,
          target_pf: text,
          target_vf: text,
        }),
      ),
    }),
  ),
});

/** oVirt's `action`. */
export const actionType = entity('action', 'actions', {
  async: bool,
  cluster: ref('cluster'),
  correlation_id: text,
  fault,
  force: bool,
  host: ref('host'),
  job: ref('job'),
  reason: text,
  status: text,
  virtual_functions_configuration: hostNicType.fields.virtual_functions_configuration,
  /** Extensions, of `migrate`: only explain; copy local disks; limits. */
  plan: bool,
  copy_storage: bool,
  unplug_timeout_ms: int,
  downtime_ms_max: int,
  bandwidth_mib_per_second: int,
  transfer_timeout_ms: int,
  migration_plan: migrationPlan,
});
