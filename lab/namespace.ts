/**
 * The lab's network namespace: two bridges, three taps a host, and every process of the lab.
 *
 * Invariant: a process runs in this namespace only if it belongs to the lab; so emptying the namespace is how
 * strays of a killed run are found and ended, without pid files that lie.
 * Callers: `hosts.ts`, `lab.ts`, `ssh.ts`, the probe.
 */
import { existsSync, readFileSync } from 'node:fs';
import { systemClock, until } from '../src/base/clock.ts';
import { run, type RunOptions, tryRun } from './shell.ts';
import { HOST_LETTERS, type HostLetter, NAMESPACE, OUTSIDE } from './topology.ts';

/** Bridge of each tap of a host. */
const TAPS = { management: 'mgmt', uplink: 'data', pf: 'data' } as const;

/** `command` as it runs inside the namespace. */
export function inNamespace(command: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', NAMESPACE, ...command];
}

/** Runs `command` inside the namespace; throws unless it exits with 0. */
export function runInNamespace(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = inNamespace(command);
  return run(program, args, options);
}

/** Name of a host's tap. */
export function tapName(letter: HostLetter, tap: keyof typeof TAPS): string {
  return `t-${letter}-${tap.slice(0, 6)}`;
}

/** True if the namespace exists. */
export function namespaceExists(): boolean {
  return existsSync(`/run/netns/${NAMESPACE}`);
}

/** Makes the namespace with its bridges and taps; nothing if it is there. */
export async function makeNamespace(): Promise<void> {
  if (namespaceExists()) return;
  await run('ip', ['netns', 'add', NAMESPACE]);
  const ip = (...args: string[]) => run('ip', ['-n', NAMESPACE, ...args]);
  await ip('link', 'set', 'lo', 'up');
  for (const bridge of ['mgmt', 'data']) {
    await ip('link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0', 'ageing_time', '30000');
    await ip('link', 'set', bridge, 'up');
  }
  await ip('addr', 'add', `${OUTSIDE.managementAddress}/24`, 'dev', 'mgmt');
  await ip('addr', 'add', `${OUTSIDE.dataAddress}/24`, 'dev', 'data');
  // Nobody else makes addresses here: the look for a second owner would only cost time.
  await ip('addr', 'add', `${OUTSIDE.dataIpv6Address}/64`, 'dev', 'data', 'nodad');
  for (const letter of HOST_LETTERS) {
    for (const [tap, bridge] of Object.entries(TAPS)) {
      const name = tapName(letter, tap as keyof typeof TAPS);
      await ip('tuntap', 'add', 'dev', name, 'mode', 'tap');
      await ip('link', 'set', name, 'master', bridge, 'up');
    }
  }
}

/** Pids of the processes in the namespace, this one aside. */
export async function pidsInNamespace(): Promise<number[]> {
  if (!namespaceExists()) return [];
  const shown = await tryRun('ip', ['netns', 'pids', NAMESPACE]);
  return shown.stdout
    .toString()
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
}

/** Ends every process in the namespace but those of `spared`: asked first, killed after 5 s. */
export async function endProcesses(spared: readonly number[] = []): Promise<void> {
  const left = async () => (await pidsInNamespace()).filter((pid) => !spared.includes(pid));
  for (const [signal, limitMs] of [
    ['SIGTERM', 5000],
    ['SIGKILL', 20_000],
  ] as const) {
    for (const pid of await left()) sendSignal(pid, signal);
    try {
      await until(systemClock, `processes in ${NAMESPACE} ended`, { limitMs, everyMs: 100 }, async () =>
        (await left()).length === 0 ? true : undefined,
      );
      return;
    } catch (error) {
      if (signal === 'SIGKILL') throw error;
    }
  }
}

/** Ends everything in the namespace, then removes it with its bridges and taps. */
export async function removeNamespace(): Promise<void> {
  if (!namespaceExists()) return;
  await endProcesses();
  await run('ip', ['netns', 'del', NAMESPACE]);
}

/** The command line of `pid`, empty if it does not run. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the listing and the signal.
  }
}
