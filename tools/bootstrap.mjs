/**
 * The way into every command of this repository: `node tools/bootstrap.mjs VERB ARGS...` (`npm run VERB`
 * calls it). Checks the version of Node, installs the npm packages if they are not the ones package-lock.json
 * asks for, then runs the verb's script with the given arguments and ends with its exit code.
 *
 * Invariants: uses only what Node ships, since it runs before anything is installed. Says what it will do
 * before it does it. Never asks anything. Once set up it works offline: nothing is asked of npm while the
 * marker file matches. The marker is written last, so an install that was interrupted is begun again.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Node that has all we use; the same as `engines` in package.json. */
const NODE_MIN = [20, 19];

/** verb -> script. A verb whose script is not there is not offered. */
const SCRIPTS = {
  demo: 'tools/demo.ts',
  test: 'tools/test.ts',
  check: 'tools/check.ts',
  format: 'tools/format.ts',
  lab: 'lab/main.ts',
  bench: 'tools/bench.ts',
  start: 'src/daemon/main.ts',
  campaign: 'test/campaign/main.ts',
  'guest-kit': 'tools/guest-kit.ts',
};

/** Verbs that start an engine for people, who find the web console there. */
const WITH_CONSOLE = ['demo', 'start'];

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MARKER = join(ROOT, 'node_modules', '.handover-installed');
/** Held while npm works, so that two commands in a fresh clone do not install over each other. */
const LOCK = join(ROOT, '.handover-install.lock');
const LOCK_LIMIT_MS = 15 * 60_000;
const LOCK_POLL_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Ends this process. The lock, if it is ours, is left: its owner is dead, so the next run takes it over. */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [majorMin, minorMin] = NODE_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  fail(
    `Handover needs Node ${NODE_MIN.join('.')} or newer; ` +
      `${process.execPath} is ${process.versions.node}.`,
  );
}

function scriptOf(verb) {
  const verbs = Object.keys(SCRIPTS).filter((name) => existsSync(join(ROOT, SCRIPTS[name])));
  if (verb !== undefined && verbs.includes(verb)) return join(ROOT, SCRIPTS[verb]);
  const problem = verb === undefined ? 'No command given.' : `There is no command "${verb}".`;
  return fail(`${problem} Commands: ${verbs.join(', ')}. Usage: npm run COMMAND -- ARGUMENTS`);
}

/**
 * What an install that fits would have written: the lock file's content and the kind of machine (native
 * packages).
 */
function wantedMarker() {
  const hash = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function isInstalled(wanted) {
  return existsSync(MARKER) && readFileSync(MARKER, 'utf8') === wanted;
}

/** The npm that belongs to this Node; the one on the PATH if there is none beside it. */
function npmCommand() {
  const beside = [
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    '/usr/share/nodejs/npm/bin/npm-cli.js',
  ].find(existsSync);
  return beside === undefined ? ['npm'] : [process.execPath, beside];
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function sleepMs(durationMs) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/**
 * Takes the lock; a lock whose owner died is taken over. Returns false if somebody else installed meanwhile.
 */
function takeLock(wanted) {
  const limit = Date.now() + LOCK_LIMIT_MS;
  for (let waits = 0; ; waits += 1) {
    if (isInstalled(wanted)) return false;
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`Cannot write ${LOCK}: ${error.message}`);
    }
    // The install's own process and npm's, which may outlive it. Between create and write the file is empty:
    // not stale, look again.
    const owners = existsSync(LOCK) ? (readFileSync(LOCK, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
    if (owners.length > 0 && !owners.some(isAlive)) rmSync(LOCK, { force: true });
    else if (Date.now() > limit)
      fail(`Another install holds ${LOCK} (process ${owners.join(', ')}); end it or remove the file.`);
    else {
      if (waits === 0) process.stderr.write('Handover: waiting for another install in this folder to end.\n');
      sleepMs(LOCK_POLL_MS);
    }
  }
}

/**
 * Runs a child of this process; signals sent to us reach it. Resolves with its exit code, as a shell counts
 * it.
 */
function runChild(command, args, options) {
  const child = spawn(command, args, { cwd: ROOT, ...options });
  // On a terminal Ctrl-C reaches the child by itself too: scripts count the signals of one Ctrl-C as one.
  const forward = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, forward);
  });
  return { pid: child.pid, ended };
}

async function install() {
  const wanted = wantedMarker();
  if (isInstalled(wanted) || !takeLock(wanted)) return;
  const why = existsSync(join(ROOT, 'node_modules')) ? 'they do not match package-lock.json' : 'first run';
  process.stderr.write(`Handover: installing npm packages into node_modules (${why}): npm ci\n`);
  try {
    const [command, ...prefix] = npmCommand();
    // npm's own messages go to our standard error: standard output belongs to the command.
    const npm = runChild(command, [...prefix, 'ci', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] });
    writeFileSync(LOCK, `${process.pid} ${npm.pid}`);
    const status = await npm.ended;
    if (status !== 0) fail('npm ci failed, see above. The same command again starts the install afresh.');
    writeFileSync(MARKER, wanted);
  } catch (error) {
    fail(`npm cannot be run (${error.message}): install npm, which comes with Node.`);
  } finally {
    rmSync(LOCK, { force: true });
  }
}

checkNode();
const [verb, ...args] = process.argv.slice(2);
const script = scriptOf(verb);
await install();
if (WITH_CONSOLE.includes(verb) && !args.includes('--help') && !args.includes('-h')) {
  const setUp = join(ROOT, 'tools/setup/console.ts');
  const built = await runChild(process.execPath, ['--import', 'tsx', setUp], { stdio: ['ignore', 2, 2] })
    .ended;
  if (built !== 0) fail('The web console can not be built, see above.');
}
// tsx is found from the working directory: the repository's, whatever folder this was called from.
process.exitCode = await runChild(process.execPath, ['--import', 'tsx', script, ...args], {
  stdio: 'inherit',
}).ended;
