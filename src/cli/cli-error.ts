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

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Exit code for a refused request, by HTTP status and Handover's error code. */
export function exitCodeOf(status: number, errorCode: string | null): number {
  // The request was fine; the VM is not.
  if (errorCode === 'VM_NOT_MIGRATABLE') return EXIT.refused;
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
