/**
 * Commands on the hosts, over ssh with strict host keys, as production reaches its hosts.
 *
 * `writeSshConfig` makes the file for `ssh -F`; `openSshMasters` one shared connection a host, so that a
 * command costs milliseconds instead of an emulated key exchange. Without a master ssh falls back to a
 * connection of its own.
 * Callers: `lab.ts`, `guest.ts`, scenarios through `Lab`.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { inNamespace } from './namespace.ts';
import { type ImagePaths, runPaths, SSH_CONFIG } from './paths.ts';
import { type RunOptions, type RunResult, tryRun } from './shell.ts';
import { HOST_LETTERS, type HostLetter, hostPlace } from './topology.ts';

/** ssh's own failure, as against the command's. */
const SSH_FAILED = 255;

/** Input and limit of one command on a host. */
export type ExecOptions = RunOptions;

/**
 * Writes the ssh configuration: `ssh -F FILE hosta`, or by address; user root, key and known hosts of the
 * image.
 */
export function writeSshConfig(image: ImagePaths): void {
  const hosts = HOST_LETTERS.map(hostPlace).map(
    (place) => `Host ${place.name} ${place.managementAddress}\n  HostName ${place.managementAddress}\n`,
  );
  const common = [
    'Host *',
    '  User root',
    `  IdentityFile ${image.sshKey}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${image.knownHosts}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
    '  ConnectTimeout 30',
  ];
  writeFileSync(SSH_CONFIG, `${hosts.join('')}${common.join('\n')}\n`);
}

/** The ssh command line to `letter`, without the remote command. */
export function sshCommand(letter: HostLetter, options: readonly string[] = []): string[] {
  const { sshControl } = runPaths(letter);
  const shared = ['-o', 'ControlMaster=no', '-o', `ControlPath=${sshControl}`];
  return ['ssh', '-F', SSH_CONFIG, ...shared, ...options, hostPlace(letter).name];
}

/**
 * Opens the shared connection to a host; it ends with the host or with `down`. Throws if the host does not
 * let us in.
 */
export async function openSshMaster(letter: HostLetter): Promise<void> {
  const { sshControl } = runPaths(letter);
  const master = ['ssh', '-F', SSH_CONFIG, '-N', '-f', '-M', '-S', sshControl, hostPlace(letter).name];
  // No pipes: the connection goes to the background and would keep them open.
  const [program = '', ...args] = inNamespace(master);
  const child = spawn(program, args, { stdio: 'ignore' });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (status === 0 && existsSync(sshControl)) return;
  throw new Error(
    `host ${letter} refuses ssh (status ${status}): try "ssh -F ${SSH_CONFIG}" inside the namespace`,
  );
}

/** Runs a shell command on a host; returns how it ended. Throws only if the host cannot be reached. */
export async function tryHostExec(
  letter: HostLetter,
  command: string,
  options: ExecOptions = {},
): Promise<RunResult> {
  const [program = '', ...args] = inNamespace([...sshCommand(letter), '--', command]);
  const result = await tryRun(program, args, options);
  if (result.status === SSH_FAILED)
    throw new Error(`host ${letter} cannot be reached: ${result.stderr.trim()}`);
  return result;
}

/**
 * Runs a shell command on a host and returns what it printed, trimmed; throws with its error output if it
 * fails.
 */
export async function hostExec(
  letter: HostLetter,
  command: string,
  options: ExecOptions = {},
): Promise<string> {
  const result = await tryHostExec(letter, command, options);
  if (result.status === 0) return result.stdout.toString().trim();
  const said = `${result.stderr.trim()}\n${result.stdout.toString().trim()}`.trim();
  throw new Error(`host ${letter}: "${command.slice(0, 200)}" failed (status ${result.status}): ${said}`);
}
