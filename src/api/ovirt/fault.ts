/**
 * The one place that knows HTTP's status codes and oVirt's texts. Clients match on those texts, so oVirt's
 * come first, followed by our own sentence, which says what to do. The texts are those of the engine's
 * message bundle.
 */
import {
  asHandoverError,
  ERROR_CODES,
  type ErrorCode,
  type ErrorKind,
  type HandoverError,
} from '../../base/errors.ts';
import type { Fault } from './schema/index.ts';

/** What was asked for, as oVirt begins its refusals. */
const LEADS = {
  add_vm: 'Cannot add VM',
  update_vm: 'Cannot edit VM',
  remove_vm: 'Cannot remove VM',
  migrate_vm: 'Cannot migrate VM',
  cancel_migration: 'Cannot cancel migration',
  start_vm: 'Cannot run VM',
  shutdown_vm: 'Cannot shutdown VM',
  stop_vm: 'Cannot stop VM',
  add_vnic_profile: 'Cannot add VM network interface profile',
  update_vnic_profile: 'Cannot edit VM network interface profile',
  remove_vnic_profile: 'Cannot remove VM network interface profile',
  add_network: 'Cannot add Network',
  update_network: 'Cannot edit Network',
  remove_network: 'Cannot remove Network',
  add_host: 'Cannot add Host',
  update_host: 'Cannot edit Host',
  remove_host: 'Cannot remove Host',
  refresh_host: 'Cannot refresh Host capabilities',
  activate_host: 'Cannot activate Host',
  deactivate_host: 'Cannot switch Host to Maintenance mode',
  add_vm_nic: 'Cannot add Interface',
  remove_vm_nic: 'Cannot remove Interface',
  update_vm_nic: 'Cannot edit Interface',
  activate_vm_nic: 'Cannot activate Interface',
  deactivate_vm_nic: 'Cannot deactivate Interface',
  update_vfs: 'Cannot edit host NIC VFs configuration',
  change_job: 'Cannot change Job',
  add_user: 'Cannot add User',
  update_user: 'Cannot edit User',
  remove_user: 'Cannot remove User',
  add_permission: 'Cannot add Permission',
  remove_permission: 'Cannot remove Permission',
} as const;
export type Operation = keyof typeof LEADS;

const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  no_capacity: 409,
  refused: 409,
  cancelled: 409,
  unreachable: 503,
  outcome_unknown: 503,
  deadline: 504,
  bug: 500,
};

/**
 * A host that refuses the engine is no failed sign-on of the caller: at a 401 clients sign on again and
 * repeat.
 */
const STATUS_BY_CODE: Partial<Record<ErrorCode, number>> = {
  HOST_REFUSED_CREDENTIALS: 400,
  HOST_KEY_UNKNOWN: 400,
};

/** oVirt's texts by error code, without "Cannot migrate VM." before them. */
const OVIRT_TEXTS: Partial<Record<ErrorCode, string>> = {
  TARGET_IS_SOURCE: 'source and destination is the same.',
  VM_ALREADY_MIGRATING: 'VM migration is in progress.',
  VM_NOT_MIGRATING: 'Cannot cancel migration for non migrating VM.',
  NOT_PERMITTED: 'User is not authorized to perform this action.',
  NO_HOST_FITS: 'There is no host that satisfies current scheduling constraints.',
};

const PROFILE_NAME_IN_USE =
  "The VM network interface profile's name is already used by an existing profile for the same network. " +
  'Please choose another name.';
const HOST_NAME_IN_USE = 'The Host name is already in use, please choose a unique name and try again.';
const NETWORK_NAME_IN_USE =
  "The logical network's name is already used by an existing logical network in the same data-center.";

/** Texts for `ALREADY_EXISTS`, which means another thing for every noun. */
const NAME_IN_USE: Partial<Record<Operation, string>> = {
  add_vm: 'The VM name is already in use, please choose a unique name and try again.',
  add_vnic_profile: PROFILE_NAME_IN_USE,
  update_vnic_profile: PROFILE_NAME_IN_USE,
  add_network: NETWORK_NAME_IN_USE,
  update_network: NETWORK_NAME_IN_USE,
  add_host: HOST_NAME_IN_USE,
  update_host: HOST_NAME_IN_USE,
};

/** The status an error is answered with. */
export const statusOf = (code: ErrorCode): number => STATUS_BY_CODE[code] ?? STATUS[ERROR_CODES[code].kind];

/** Reasons whose details have no brackets in oVirt either. */
const UNBRACKETED: readonly string[] = ['Incomplete parameters', 'Broken immutability constraint'];

/** A fault and the status it is sent with. */
export interface HttpFault {
  readonly status: number;
  readonly fault: Fault;
}

/**
 * Any thrown value as status and fault. `operation` says what was refused.
 * The detail is bracketed, as oVirt's lists of messages are.
 */
export function faultOf(thrown: unknown, operation?: Operation): HttpFault {
  const error = asHandoverError(thrown);
  const { faultReason, httpStatus } = error.detail;
  const status = typeof httpStatus === 'number' ? httpStatus : statusOf(error.code);
  const parts = [...ovirtTexts(error, operation), sentence(error.message)];
  return {
    status,
    fault: {
      code: error.code,
      reason: typeof faultReason === 'string' ? faultReason : 'Operation Failed',
      detail: UNBRACKETED.includes(String(faultReason)) ? error.message : `[${parts.join(' ')}]`,
    },
  };
}

/** A fault for what the HTTP layer itself refuses: a wrong method, a body too large. */
export function transportFault(status: number, message: string): HttpFault {
  return { status, fault: { reason: 'Operation Failed', detail: `[${sentence(message)}]` } };
}

/** What oVirt would have said: the lead and its reason. Nothing that our message says in the same words. */
function ovirtTexts(error: HandoverError, operation: Operation | undefined): string[] {
  if (operation === undefined || error.kind === 'unauthenticated' || error.kind === 'bug') return [];
  const nameInUse = error.code === 'ALREADY_EXISTS' ? NAME_IN_USE[operation] : undefined;
  const reason = OVIRT_TEXTS[error.code] ?? nameInUse ?? '';
  const said = error.message.toLowerCase();
  const texts = reason === '' || said.includes(withoutStop(reason)) ? [] : [reason];
  const beginsWithLead = (texts[0] ?? error.message).startsWith('Cannot ');
  return beginsWithLead ? texts : [`${LEADS[operation]}.`, ...texts];
}

const withoutStop = (text: string): string => text.toLowerCase().replace(/\.$/, '');

/** With a full stop. Its first letter stays as it is: it may be a name's. */
function sentence(message: string): string {
  const trimmed = message.trim();
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
