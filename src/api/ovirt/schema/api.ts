/** The root of the API, and what it answers when it refuses. */
import { date, entity, ref, struct, text } from '../wire/fields.ts';
import { counts, version } from './common.ts';

/** What a fault says; also inside a failed action. */
export const fault = struct({
  /** Extension: Handover's error code, see docs/reference/errors.md. */
  code: text,
  detail: text,
  reason: text,
});
/** oVirt's `fault`. */
export const faultType = entity('fault', 'faults', fault.fields);

/** oVirt's `api`. */
export const apiType = entity('api', 'apis', {
  authenticated_user: ref('user'),
  effective_user: ref('user'),
  product_info: struct({ instance_id: text, name: text, vendor: text, version }),
  special_objects: struct({ blank_template: ref('template'), root_tag: ref('tag') }),
  summary: struct({ hosts: counts, storage_domains: counts, users: counts, vms: counts }),
  time: date,
});
