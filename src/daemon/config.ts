/** Configuration: command line first, then environment. The only place that reads the environment. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { HandoverError } from '../base/errors.ts';

/** What an engine is started with. */
export interface Config {
  /** Where the embedded PostgreSQL and the certificates live. */
  readonly dataDir: string;
  readonly listenHost: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** A listening socket handed over at this file descriptor (systemd's LISTEN_FDS); null = open one. */
  readonly listenFd: number | null;
  /**
   * What the API speaks. `auto`: TLS with certificates of the engine's own, but plain HTTP on loopback and on
   * a socket that was handed over; `own`: those certificates everywhere; or PEM files that were given.
   */
  readonly tls: 'auto' | 'own' | { readonly certFile: string; readonly keyFile: string };
  /** PostgreSQL to use instead of the embedded one. */
  readonly databaseUrl: string | null;
  /** Password of admin@internal; wins over the stored one. */
  readonly adminPassword: string | null;
  /** Run on simulated hosts. */
  readonly simulated: boolean;
  /** Directory of simulated hosts that another process serves (`handover-simhost`); null = none. */
  readonly simhostDir: string | null;
  /** ssh configuration file for hosts reached by ssh; null = the user's own. */
  readonly sshConfig: string | null;
  /** The operator's hooks (`hooks-file.ts`); null = none. */
  readonly hooksFile: string | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Names this replica. */
  readonly owner: string;
}

/** How the engine is started, for `--help` and for mistakes. */
export const USAGE =
  `Usage: handover serve [--data DIR] [--listen ADDRESS] [--port N] ` +
  `[--tls | --tls-cert FILE --tls-key FILE] [--ssh-config FILE] [--hooks FILE] [--simulated] [--simhost DIR]
Environment: HANDOVER_DATABASE_URL, HANDOVER_ADMIN_PASSWORD, HANDOVER_LOG_LEVEL`;

/** First descriptor systemd hands over (sd_listen_fds(3)). */
const LISTEN_FD_FIRST = 3;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Reads it. Throws `INVALID_INPUT` naming what is wrong. */
export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv, owner: string): Config {
  const values = parse(args);
  const port = Number(values.port ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new HandoverError(
      'INVALID_INPUT',
      `--port ${values.port} is no port; use 0 to 65535 (0 takes a free one)`,
    );
  }
  const level = env['HANDOVER_LOG_LEVEL'] ?? 'info';
  const logLevel = LOG_LEVELS.find((each) => each === level);
  if (!logLevel)
    throw new HandoverError(
      'INVALID_INPUT',
      `HANDOVER_LOG_LEVEL is "${level}"; use ${LOG_LEVELS.join(', ')}`,
    );
  return {
    dataDir: resolve(values.data ?? defaultDataDir(env)),
    listenHost: values.listen ?? '127.0.0.1',
    port,
    listenFd: Number(env['LISTEN_FDS'] ?? 0) >= 1 ? LISTEN_FD_FIRST : null,
    tls: tlsOf(values),
    databaseUrl: env['HANDOVER_DATABASE_URL'] || null,
    adminPassword: env['HANDOVER_ADMIN_PASSWORD'] || null,
    simulated: values.simulated ?? false,
    simhostDir: values.simhost ? resolve(values.simhost) : null,
    sshConfig: values['ssh-config'] ? resolve(values['ssh-config']) : null,
    hooksFile: values.hooks ? resolve(values.hooks) : null,
    logLevel,
    owner,
  };
}

function tlsOf(values: ReturnType<typeof parse>): Config['tls'] {
  const { tls = false, 'tls-cert': certFile, 'tls-key': keyFile } = values;
  if (certFile === undefined && keyFile === undefined) return tls ? 'own' : 'auto';
  if (certFile === undefined || keyFile === undefined) {
    throw new HandoverError('INVALID_INPUT', '--tls-cert and --tls-key go together; give both');
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

/** Root's home is closed to the user PostgreSQL runs as. */
function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/handover';
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'handover');
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        listen: { type: 'string' },
        port: { type: 'string' },
        tls: { type: 'boolean' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        'ssh-config': { type: 'string' },
        hooks: { type: 'string' },
        simulated: { type: 'boolean' },
        simhost: { type: 'string' },
      },
    }).values;
  } catch (thrown) {
    throw new HandoverError('INVALID_INPUT', `${(thrown as Error).message}\n${USAGE}`);
  }
}
