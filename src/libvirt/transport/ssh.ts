/**
 * RPC over the system's ssh: keys, agent, known_hosts, jump hosts and policy stay the administrator's. On the
 * host
 * `virt-ssh-helper` joins stdin and stdout to the daemon; where it is missing, or a socket is named, `nc -U`
 * does.
 *
 * ssh only tells by its exit status and stderr what went wrong, and that may be before, during or after the
 * first bytes. So the transport is returned at once, and the reason comes with `closed`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../base/clock.ts';
import { HandoverError } from '../../base/errors.ts';
import { streamTransport } from './stream.ts';
import type { Transport } from './transport.ts';

/** Whom ssh connects to and with which files; null leaves it to ssh's own configuration. */
export interface SshTarget {
  readonly host: string;
  readonly user: string | null;
  readonly port: number | null;
  readonly keyFile: string | null;
  readonly knownHostsFile: string | null;
  readonly configFile: string | null;
  /** The daemon's socket on the host; null: what `virt-ssh-helper` finds. */
  readonly socket: string | null;
}

/** Sockets of the monolithic and of the modular daemon, in the order they are tried. */
export const DAEMON_SOCKETS = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'] as const;

const STDERR_KEPT = 4096;
const END_LIMIT_MS = 2000;

/** Starts ssh to the target and runs there what leads to the daemon's `driverUri`. Never throws. */
export function dialSsh(target: SshTarget, driverUri: string, clock: Clock): Transport {
  const child = spawn('ssh', sshArguments(target, remoteCommand(driverUri, target.socket)), {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString('utf8')).slice(-STDERR_KEPT);
  });
  const ended = new Promise<HandoverError | null>((resolve) => {
    child.once('error', (error) => {
      child.stdout.destroy();
      resolve(
        new HandoverError('HOST_UNREACHABLE', `ssh cannot be run here: ${error.message}`, { cause: error }),
      );
    });
    child.once('close', (status, signalName) => resolve(sshVerdict(target.host, status, signalName, stderr)));
  });
  return streamTransport({
    label: `ssh:${target.host}`,
    clock,
    readable: child.stdout,
    writable: child.stdin,
    destroy: () => endChild(child, clock),
    verdict: () => ended,
  });
}

/** The command line after `ssh`. Exported for its test: no part may be taken for an option. */
export function sshArguments(target: SshTarget, command: string): string[] {
  const options = ['-T', '-e', 'none', '-o', 'BatchMode=yes'];
  if (target.configFile !== null) options.push('-F', target.configFile);
  if (target.port !== null) options.push('-p', String(target.port));
  if (target.user !== null) options.push('-l', target.user);
  if (target.keyFile !== null) options.push('-i', target.keyFile);
  if (target.knownHostsFile !== null) {
    options.push('-o', `UserKnownHostsFile="${target.knownHostsFile}"`, '-o', 'StrictHostKeyChecking=yes');
  }
  return [...options, '--', target.host, command];
}

/** What the host's shell runs. `sh -c` because the login shell may be any. Exported for its test. */
export function remoteCommand(driverUri: string, socket: string | null): string {
  const netcat = (path: string) => `exec nc $Q -U ${quote(path)}`;
  const tries =
    socket === null
      ? [
          `command -v virt-ssh-helper >/dev/null 2>&1 && exec virt-ssh-helper ${quote(driverUri)}`,
          NETCAT_QUIT,
          ...DAEMON_SOCKETS.map((path) => `[ -S ${quote(path)} ] && ${netcat(path)}`),
          'echo "neither virt-ssh-helper nor a libvirt socket found" >&2; exit 127',
        ]
      : [NETCAT_QUIT, netcat(socket)];
  return `sh -c ${quote(tries.join('; '))}`;
}

/** Some netcats keep running after our side closed unless told to quit, others do not know the option. */
const NETCAT_QUIT = 'Q=; nc -h 2>&1 | grep -q -e "-q secs" -e "-q seconds" && Q="-q 0"';

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Closes the pipes, which makes ssh end by itself, and kills it only after the limit: killed at once it could
 * not say any more why it ended.
 */
function endChild(child: ChildProcess, clock: Clock): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const cancel = clock.after(END_LIMIT_MS, () => child.kill('SIGKILL'));
  child.once('exit', cancel);
}

/** Why ssh ended, from its exit status and what it said; null for an orderly end. Exported for its test. */
export function sshVerdict(
  host: string,
  status: number | null,
  signalName: string | null,
  stderr: string,
): HandoverError | null {
  if (status === 0) return null;
  const said = stderr.trim().split('\n').slice(-5).join('\n');
  const detail = { host, status, signalName, stderr: said };
  if (/host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i.test(stderr)) {
    return new HandoverError(
      'HOST_KEY_UNKNOWN',
      `the ssh host key of ${host} is unknown or has changed: check it, then add it to known_hosts`,
      { detail },
    );
  }
  if (/permission denied|too many authentication failures|no such identity/i.test(stderr)) {
    return new HandoverError(
      'HOST_REFUSED_CREDENTIALS',
      `${host} refused the ssh login: put the engine's public key there (ssh-copy-id)`,
      { detail },
    );
  }
  if (status === 127 || /not found/.test(stderr)) {
    return new HandoverError(
      'HOST_UNREACHABLE',
      `${host} was reached by ssh, but not its libvirt daemon: install and start libvirt there (${said})`,
      { detail },
    );
  }
  const how = status === null ? `signal ${signalName}` : `status ${status}`;
  return new HandoverError(
    'HOST_UNREACHABLE',
    `the ssh connection to ${host} ended with ${how}: ${said || 'no message'}`,
    {
      detail,
    },
  );
}
