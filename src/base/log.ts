/**
 * The logger every part takes. The daemon provides one; tests use `silentLog`. Never pass secrets in
 * `fields`.
 */

export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  /** A logger that adds `fields` to every line. */
  child(fields: object): Log;
}

/** Logs nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
