/**
 * The one closed table of errors. Every failure that crosses a module edge is a `HandoverError` with a code
 * from
 * `ERROR_CODES`; every code is documented in `docs/reference/errors.md` (a test compares both ways).
 *
 * The message says what failed, on which thing, and what to do. It never repeats the text of its `cause`.
 * Errors are serialisable, because jobs persist them and read them back after a crash.
 * An expected outcome of pure code (a host does not fit) is a return value, not an error.
 */

/**
 * What a caller may conclude from an error. `unreachable`: not sent, safe to repeat. `outcome_unknown`: sent,
 * inspect first.
 */
export const ERROR_KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'no_capacity',
  'refused',
  'unreachable',
  'outcome_unknown',
  'deadline',
  'cancelled',
  'bug',
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/**
 * When the same request may succeed: `never`, `safe` (repeat at will), `inspect` (look at the hosts first),
 * `later` (after state changes).
 */
export type Retry = 'never' | 'safe' | 'inspect' | 'later';

interface CodeRow {
  readonly kind: ErrorKind;
  readonly retry: Retry;
}

const row = (kind: ErrorKind, retry: Retry): CodeRow => ({ kind, retry });

/** code -> kind and retry rule. Sorted by kind; add the code to docs/reference/errors.md too. */
export const ERROR_CODES = {
  INVALID_INPUT: row('invalid', 'never'),
  HOST_URI_INVALID: row('invalid', 'never'),
  LIBVIRT_TOO_OLD: row('invalid', 'never'),
  VNIC_PROFILE_INVALID: row('invalid', 'never'),
  VM_NOT_MIGRATABLE: row('invalid', 'later'),
  VFS_IN_USE: row('invalid', 'later'),

  NOT_SIGNED_IN: row('unauthenticated', 'never'),
  SIGN_ON_REFUSED: row('unauthenticated', 'never'),
  HOST_REFUSED_CREDENTIALS: row('unauthenticated', 'never'),
  HOST_KEY_UNKNOWN: row('unauthenticated', 'never'),
  NOT_PERMITTED: row('forbidden', 'never'),

  NOT_FOUND: row('not_found', 'never'),

  ALREADY_EXISTS: row('conflict', 'never'),
  IN_USE: row('conflict', 'later'),
  VNIC_PROFILE_MISMATCH: row('conflict', 'never'),
  VM_ALREADY_MIGRATING: row('conflict', 'later'),
  VM_STATUS_WRONG: row('conflict', 'later'),
  VM_NOT_MIGRATING: row('conflict', 'never'),
  CANCEL_TOO_LATE: row('conflict', 'never'),
  TARGET_IS_SOURCE: row('conflict', 'never'),
  JOB_NOT_RESUMABLE: row('conflict', 'never'),
  DRILL_REFUSED: row('conflict', 'later'),
  CLAIM_LOST: row('conflict', 'never'),
  CHOICE_OUTDATED: row('conflict', 'safe'),

  NO_HOST_FITS: row('no_capacity', 'later'),
  VF_TAKEN: row('no_capacity', 'later'),
  NO_VF_FITS: row('no_capacity', 'later'),

  LIBVIRT_REFUSED: row('refused', 'inspect'),
  MIGRATION_REFUSED: row('refused', 'later'),
  MIGRATION_FAILED: row('refused', 'later'),
  DRILL_FAILED: row('refused', 'later'),
  PEER_UNREACHABLE: row('refused', 'later'),
  HOST_COMMAND_FAILED: row('refused', 'inspect'),
  VNIC_NOT_PLUGGED: row('refused', 'later'),
  VM_NOT_STARTED: row('refused', 'later'),
  HOOK_FAILED: row('refused', 'later'),

  HOST_UNREACHABLE: row('unreachable', 'safe'),
  HOST_CHANNEL_UNAVAILABLE: row('unreachable', 'safe'),
  STORE_UNAVAILABLE: row('unreachable', 'safe'),

  REPLY_LOST: row('outcome_unknown', 'inspect'),

  CALL_TIMED_OUT: row('outcome_unknown', 'inspect'),
  UNPLUG_TIMED_OUT: row('deadline', 'later'),
  CONVERGENCE_FAILED: row('deadline', 'later'),
  WAIT_TIMED_OUT: row('deadline', 'later'),

  CANCELLED: row('cancelled', 'never'),

  PROTOCOL_VIOLATION: row('outcome_unknown', 'inspect'),
  ASSERTION_FAILED: row('bug', 'never'),
} as const satisfies Record<string, CodeRow>;
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts for machines that go with an error (libvirt's code, names, limits). Plain JSON, no secrets. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** The serialised form, as jobs and API answers keep it. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: ErrorDetail;
  readonly cause?: ErrorRecord | string;
}

/** The only error class of the product. */
export class HandoverError extends Error {
  override readonly name = 'HandoverError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind;
  }

  get retry(): Retry {
    return ERROR_CODES[this.code].retry;
  }

  toJSON(): ErrorRecord {
    const record: { -readonly [K in keyof ErrorRecord]: ErrorRecord[K] } = {
      code: this.code,
      message: this.message,
    };
    if (Object.keys(this.detail).length > 0) record.detail = this.detail;
    if (this.cause instanceof HandoverError) record.cause = this.cause.toJSON();
    else if (this.cause !== undefined) record.cause = messageOf(this.cause);
    return record;
  }

  /** Rebuilds an error read back from the store. */
  static fromJSON(record: ErrorRecord): HandoverError {
    const cause =
      record.cause === undefined || typeof record.cause === 'string'
        ? record.cause
        : HandoverError.fromJSON(record.cause);
    return new HandoverError(record.code, record.message, {
      ...(record.detail ? { detail: record.detail } : {}),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/**
 * Any thrown value as a `HandoverError`; what is not one already is a `bug` and keeps the original as its
 * cause.
 */
export function asHandoverError(thrown: unknown): HandoverError {
  if (thrown instanceof HandoverError) return thrown;
  return new HandoverError('ASSERTION_FAILED', `unexpected failure inside Handover: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}

/** True if `thrown` is a `HandoverError` with one of `codes`. */
export function isCode(thrown: unknown, ...codes: ErrorCode[]): thrown is HandoverError {
  return thrown instanceof HandoverError && codes.includes(thrown.code);
}

/** The text of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The message and those of its causes, outermost first, for logs and terminals. */
export function explain(thrown: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = thrown; at !== undefined && at !== null && parts.length < 8; ) {
    const text = messageOf(at);
    if (!parts.includes(text)) parts.push(text);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ');
}
