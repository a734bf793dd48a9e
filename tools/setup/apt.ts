/**
 * Debian packages for tests, bench and lab: which are there, install the others. One home for every call of
 * apt.
 *
 * Invariants: nothing is asked of apt when all packages are there (works offline, takes milliseconds); what
 * will be installed is logged before it happens; without root nothing is tried and the error says what to
 * run. Callers: `wire-packages.ts`, `lab/packages.ts` and the bootstrap. Never the engine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Log } from '../../src/base/log.ts';

/** Only one of ours talks to apt at a time: `apt-get update` has no lock time-out of its own. */
const LOCK_FILE = '/run/lock/handover-apt.lock';
const LOCK_LIMIT_S = 900;
const BACKPORTS_LIST = '/etc/apt/sources.list.d/handover-backports.list';
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

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
 * already uses. Throws if that archive cannot be found or root is missing.
 */
export async function ensureBackports(log: Log): Promise<string | null> {
  const codename = releaseCodename();
  if (codename !== 'bookworm') return null;
  const suite = `${codename}-backports`;
  if (indexTargets().some((target) => target.codename === suite)) return suite;
  const archive = indexTargets().find(
    (target) => target.codename === codename && target.component === 'main',
  );
  if (!archive)
    throw new Error(`apt knows no archive for ${codename}: add a source for ${suite}, then try again`);
  requireRoot(`add ${suite} to apt's sources`);
  log.info(`adding ${suite} from ${archive.uri} to apt's sources (${BACKPORTS_LIST})`);
  const signedBy = existsSync(DEBIAN_KEYRING) ? ` [signed-by=${DEBIAN_KEYRING}]` : '';
  writeFileSync(BACKPORTS_LIST, `deb${signedBy} ${archive.uri} ${suite} main\n`);
  await aptGet(['update'], log);
  return suite;
}

/**
 * Installs those of `names` that are missing; returns them (empty: nothing was done).
 * Runs `apt-get update` first only if apt does not know one of them. Throws with apt's last lines on failure.
 */
export async function installPackages(names: readonly string[], options: InstallOptions): Promise<string[]> {
  const missing = missingPackages(names);
  if (missing.length === 0) return [];
  const from = options.suite ? ` from ${options.suite}` : '';
  requireRoot(`install ${missing.join(' ')}${from}`);
  options.log.info(`installing Debian packages${from}: ${missing.join(' ')}`);
  if (!missing.every(isKnownToApt)) await aptGet(['update'], options.log);
  const suite = options.suite ? ['-t', options.suite] : [];
  await aptGet(['install', '-y', '--no-install-recommends', ...suite, ...missing], options.log);
  return missing;
}

/**
 * Runs `apt-get` with `args`, one at a time over all of our processes; throws with its last lines on failure.
 */
export function aptGet(args: readonly string[], log: Log, cwd?: string): Promise<void> {
  const command = [
    '-w',
    String(LOCK_LIMIT_S),
    LOCK_FILE,
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=600',
    ...args,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('flock', command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      ...(cwd === undefined ? {} : { cwd }),
    });
    let tail = '';
    const keep = (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new Error(`apt-get cannot be run: ${error.message}`)));
    child.on('close', (status) => {
      log.debug(`apt-get ${args.join(' ')}`, { status });
      if (status === 0) resolve();
      else reject(new Error(`apt-get ${args.join(' ')} failed (status ${status}):\n${lastLines(tail, 15)}`));
    });
  });
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
