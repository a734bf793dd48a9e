/**
 * Debian packages for tests, bench and lab: which are there, install the others. One home for every call of
 * apt.
 *
 * Invariants: nothing is asked of apt when all packages are there (works offline, takes milliseconds); what
 * will be installed or upgraded is logged before it happens, and nothing is ever removed; without root
 * nothing is tried and the error says what is missing. An installation that was interrupted is finished
 * first.
 * Callers: `wire-packages.ts`, `lab/packages.ts`, benches. Never the engine.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/base/log.ts';

/** Only one of ours talks to apt at a time: `apt-get update` has no lock time-out of its own. */
const LOCK_FILE = '/run/lock/handover-apt.lock';
const LOCK_LIMIT_S = 900;
const BACKPORTS_LIST = '/etc/apt/sources.list.d/handover-backports.list';
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** dpkg's unfinished business; files here mean that it was ended in the middle. */
const DPKG_JOURNAL = '/var/lib/dpkg/updates';
/** What people changed in /etc stays; no question is asked about it. */
const KEEP_CONFIGURATION = ['--force-confdef', '--force-confold'];
const INSTALL = [
  ...['install', '-y', '--no-install-recommends', '--no-remove', '--fix-broken'],
  ...KEEP_CONFIGURATION.flatMap((option) => ['-o', `Dpkg::Options::=${option}`]),
];

/** Where packages come from and who is told. */
export interface InstallOptions {
  readonly log: Log;
  /** Debian suite to prefer for these packages and what they need, e.g. what `ensureBackports` returned. */
  readonly suite?: string | null;
}

/**
 * Those of `names` that are not installed (dpkg's state is not `install ok installed`), in the given order.
 */
export function missingPackages(names: readonly string[]): string[] {
  const answer = spawnSync('dpkg-query', ['-W', '-f', '${binary:Package} ${Status}\n', ...names], {
    encoding: 'utf8',
  });
  if (answer.error) throw new Error('dpkg-query is missing: only Debian and Ubuntu are set up automatically');
  const installed = new Set<string>();
  for (const line of answer.stdout.split('\n')) {
    const [name, ...status] = line.split(' ');
    if (name && status.join(' ') === 'install ok installed') installed.add(name.replace(/:.*/, ''));
  }
  return names.filter((name) => !installed.has(name));
}

/** True if every one of `names` is installed. */
export function hasPackages(names: readonly string[]): boolean {
  return missingPackages(names).length === 0;
}

/** `VERSION_CODENAME` of /etc/os-release: `bookworm`, `trixie`, `noble`...; `unknown` if there is none. */
export function releaseCodename(): string {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1] ?? 'unknown';
}

/**
 * Makes the backports suite of Debian 12 known to apt and returns its name; null on any other release, whose
 * own archive is new enough. If no backports are configured, adds one sources file for the archive apt
 * already uses, saying so first. Throws if that archive cannot be found or root is missing.
 */
export async function ensureBackports(log: Log): Promise<string | null> {
  const suite = backportsSuite();
  if (suite === null) return null;
  const wanted = (target: IndexTarget): boolean => target.codename === suite;
  if (indexTargets().some(wanted)) return suite;
  requireRoot(`add ${suite} to apt's sources`);
  // Targets are named by their Release files: before the first update apt knows of none.
  await updateLists(log);
  if (indexTargets().some(wanted)) return suite;
  const release = releaseCodename();
  const archive = indexTargets().find((target) => target.codename === release && target.component === 'main');
  if (!archive)
    throw new Error(`apt knows no archive for ${release}: add a source for ${suite}, then try again`);
  log.info(`adding ${suite} from ${archive.uri} to apt's sources (${BACKPORTS_LIST})`);
  const signedBy = existsSync(DEBIAN_KEYRING) ? ` [signed-by=${DEBIAN_KEYRING}]` : '';
  writeFileSync(BACKPORTS_LIST, `deb${signedBy} ${archive.uri} ${suite} main\n`);
  await aptGet(['update'], log);
  return suite;
}

/** The suite whose packages are needed on Debian 12; null elsewhere. */
export function backportsSuite(): string | null {
  const release = releaseCodename();
  return release === 'bookworm' ? `${release}-backports` : null;
}

/** Installs those of `names` that are missing; returns them (empty: nothing was done). */
export async function installPackages(names: readonly string[], options: InstallOptions): Promise<string[]> {
  const missing = missingPackages(names);
  if (missing.length > 0) await takePackages(missing, options);
  return missing;
}

/**
 * Installs `names`, or upgrades them to what the suite has. Says first what will be installed and what else
 * is upgraded with it. Throws with apt's last lines on failure, also if something would have to be removed.
 */
export async function takePackages(names: readonly string[], options: InstallOptions): Promise<void> {
  const { log, suite = null } = options;
  const from = suite === null ? '' : ` from ${suite}`;
  requireRoot(`install ${names.join(' ')}${from}`);
  log.info(`installing Debian packages${from}: ${names.join(' ')}`);
  await finishInterrupted(log);
  await updateLists(log);
  const ways = waysToAsk(names, suite);
  const asked = ways.find((way) => simulate(way) !== null) ?? ways.at(-1) ?? [];
  const upgrades = upgradedIn(simulate(asked) ?? '');
  if (upgrades.length > 0) log.info(`upgrading with them: ${upgrades.join(' ')}`);
  await aptGet([...INSTALL, ...asked], log);
}

/**
 * apt's arguments for `names` from `suite`, most sparing first. `name/suite` takes only these, and what must
 * match them, from the suite; `-t suite` everything they need, be it systemd, which is the way only where an
 * older version with add-ons of its own is to be upgraded.
 */
export function waysToAsk(names: readonly string[], suite: string | null): string[][] {
  if (suite === null) return [[...names]];
  return [names.map((name) => `${name}/${suite}`), ['-t', suite, ...names]];
}

/** Names of the packages that apt, in the output of a simulation, replaces by another version. */
export function upgradedIn(simulation: string): string[] {
  return [...simulation.matchAll(/^Inst (\S+) \[/gm)].map((match) => match[1] ?? '');
}

/** What apt would do; null if it cannot. */
function simulate(asked: readonly string[]): string | null {
  const answer = spawnSync('apt-get', ['--simulate', ...INSTALL, ...asked], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return answer.status === 0 ? answer.stdout : null;
}

let listsUpdate: Promise<void> | null = null;

/**
 * Has apt fetch its lists, once in this process: old ones name versions that are gone from the archive. That
 * one of several archives cannot be reached is only said: the package may come from another.
 */
export function updateLists(log: Log): Promise<void> {
  listsUpdate ??= aptGet(['update'], log).catch((error: unknown) => {
    log.warn(`going on with the package lists as they are: ${(error as Error).message}`);
  });
  return listsUpdate;
}

/** apt refuses to work while dpkg's journal is there, and asks for exactly this. */
async function finishInterrupted(log: Log): Promise<void> {
  if (!existsSync(DPKG_JOURNAL) || readdirSync(DPKG_JOURNAL).length === 0) return;
  log.info('finishing an installation that was interrupted: dpkg --configure -a');
  await runExclusively(['dpkg', ...KEEP_CONFIGURATION, '--configure', '-a'], log);
}

/**
 * Runs `apt-get` with `args`, one at a time over all of our processes; throws with its last lines on failure.
 */
export function aptGet(args: readonly string[], log: Log, cwd?: string): Promise<void> {
  return runExclusively(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=600', ...args], log, cwd);
}

function runExclusively(command: readonly string[], log: Log, cwd?: string): Promise<void> {
  // Only root changes anything that others must not see halfway; a lock file of another's would bar root.
  const lock = process.getuid?.() === 0 ? ['flock', '-w', String(LOCK_LIMIT_S), LOCK_FILE] : [];
  const [program = '', ...args] = [...lock, ...command];
  return new Promise((resolve, reject) => {
    // A file and a session of its own: apt is not ended halfway by our end, or by Ctrl-C at our terminal.
    const output = unnamedFile();
    const child = spawn(program, args, {
      stdio: ['ignore', output, output],
      detached: true,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const said = command.join(' ');
    child.on('error', (error) => {
      closeSync(output);
      reject(new Error(`${said} cannot be run: ${error.message}`));
    });
    child.on('close', (status) => {
      log.debug(said, { status });
      if (status === 0) resolve();
      else reject(new Error(`${said} failed (status ${status}):\n${lastLines(contentOf(output), 15)}`));
      closeSync(output);
    });
  });
}

function unnamedFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'handover-apt-'));
  const file = openSync(join(folder, 'output'), 'w+');
  rmSync(folder, { recursive: true });
  return file;
}

function contentOf(file: number): string {
  const bytes = Buffer.alloc(fstatSync(file).size);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
}

/** Throws an error that says what to do as root, unless this is root. */
export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0)
    throw new Error(`root is needed to ${what}: run this with sudo, or do it by hand`);
}

interface IndexTarget {
  readonly uri: string;
  readonly codename: string;
  readonly component: string;
}

function indexTargets(): IndexTarget[] {
  const format = '$(CREATED_BY)\t$(REPO_URI)\t$(CODENAME)\t$(COMPONENT)';
  const answer = spawnSync('apt-get', ['indextargets', '--format', format], { encoding: 'utf8' });
  if (answer.status !== 0) throw new Error(`apt-get indextargets failed: ${answer.stderr || answer.error}`);
  const targets: IndexTarget[] = [];
  for (const line of answer.stdout.split('\n')) {
    const [kind, uri, codename, component] = line.split('\t');
    if (kind === 'Packages' && uri && codename && component) targets.push({ uri, codename, component });
  }
  return targets;
}

/** True if apt has a version of it to install. */
export function isKnownToApt(name: string): boolean {
  const answer = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' });
  return answer.status === 0 && /Candidate: (?!\(none\))/.test(answer.stdout);
}

/** The newest version of a package known to apt that begins with `prefix`. Throws if there is none. */
export function knownVersion(name: string, prefix: string): string {
  const answer = spawnSync('apt-cache', ['madison', name], { encoding: 'utf8' });
  const versions = answer.stdout.split('\n').map((line) => line.split('|')[1]?.trim() ?? '');
  const found = versions.find((version) => version.startsWith(prefix));
  if (found === undefined) throw new Error(`apt knows no version ${prefix}* of ${name}: run apt-get update`);
  return found;
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
