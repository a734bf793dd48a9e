/** How the command ends: exit codes are part of the interface, documented in docs/reference/cli.md. */

/** Exit codes by meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notPermitted: 3,
  notFound: 4,
  refused: 5,
  unreachable: 6,
  jobNotSucceeded: 7,
  interrupted: 130,
} as const;

/**
 * An end with a message for stderr (none if it is empty). Everything the command throws on purpose is one of
 * these.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  /** Handover's code (docs/reference/errors.md) if the engine gave one. */
  readonly code: string | null;

  constructor(exitCode: number, message: string, code: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** The code for programs: the engine's, else what the exit code alone tells; null if that is nothing. */
export function codeOf({ code, exitCode }: CliError): string | null {
  if (code !== null) return code;
  switch (exitCode) {
    case EXIT.usage:
      return 'INVALID_INPUT';
    case EXIT.notPermitted:
      return 'NOT_SIGNED_IN';
    case EXIT.notFound:
      return 'NOT_FOUND';
    default:
      return null;
  }
}

/** Exit code for a refused request, by HTTP status and Handover's error code. */
export function exitCodeOf(status: number, errorCode: string | null): number {
  // The request was fine; the VM is not, or the host does not let the engine in.
  if (errorCode === 'VM_NOT_MIGRATABLE') return EXIT.refused;
  if (errorCode === 'HOST_KEY_UNKNOWN' || errorCode === 'HOST_REFUSED_CREDENTIALS') return EXIT.unreachable;
  switch (status) {
    case 400:
    case 405:
      return EXIT.usage;
    case 401:
    case 403:
      return EXIT.notPermitted;
    case 404:
      return EXIT.notFound;
    case 409:
      return EXIT.refused;
    case 503:
    case 504:
      return EXIT.unreachable;
    default:
      return EXIT.failed;
  }
}
