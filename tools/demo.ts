/**
 * `npm run demo`: Handover doing its job before your eyes. By default on the lab (two nested KVM hosts,
 * emulated SR-IOV cards, a real guest), with --simulated on simulated hosts. Drives the engine through its
 * own API, as any user would.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { consoleLog } from '../lab/console-log.ts';
import { ApiRefusal } from '../lab/engine-api.ts';
import { unlessAborted } from '../lab/unless-aborted.ts';
import { systemClock } from '../src/base/clock.ts';
import { asHandoverError, explain, HandoverError } from '../src/base/errors.ts';
import { changeLines, type TimelineMigration, timelineLines } from '../src/cli/timeline.ts';
import { checkListenAddress } from '../src/daemon/listen-address.ts';
import type { JobView } from '../src/api/types/job-view.ts';
import { labStage } from './demo/lab-stage.ts';
import { DEMO_USAGE, type DemoOptions, demoOptions } from './demo/options.ts';
import { demoPassword } from './demo/password.ts';
import { type DemoReport, type MigrationReport, migrationReport, NOTHING_MEASURED } from './demo/report.ts';
import { type Stage, simulatedStage } from './demo/stage.ts';

/** Between two migrations of a demo that goes on. */
const PAUSE_MS = 15_000;
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    say(DEMO_USAGE);
    return 0;
  }
  let options: DemoOptions;
  try {
    options = demoOptions(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!ending.signal.aborted) process.stderr.write(`demo: ${signal}, ending\n`);
      ending.abort(new Error(signal));
    });
  const migrations: MigrationReport[] = [];
  const mode = options.simulated ? 'simulated' : 'lab';
  const save = () => {
    const report: DemoReport = { mode, migrations };
    if (options.jsonFile !== null) writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  };
  save();
  let stage: Stage | null = null;
  try {
    const given = process.env['HANDOVER_ADMIN_PASSWORD'];
    const password = demoPassword(options.dataDir, given, randomBytes(12).toString('base64url'));
    stage = await openStage(options, password, ending.signal);
    introduce(stage, given ? null : password);
    await play(stage, options, ending.signal, (report) => {
      migrations.push(report);
      save();
    });
  } catch (error) {
    if (!ending.signal.aborted) {
      process.stderr.write(`demo: ${error instanceof ApiRefusal ? error.said : explain(error)}\n`);
      const isOfTheLab = stage === null && !options.simulated && !(error instanceof HandoverError);
      if (isOfTheLab && process.getuid?.() !== 0)
        process.stderr.write('demo: on simulated hosts it needs no root: npm run demo -- --simulated\n');
      return 1;
    }
  } finally {
    save();
    await stage?.close();
  }
  if (!options.once) return 0;
  return migrations.length === 2 && migrations.every((report) => report.state === 'succeeded') ? 0 : 1;
}

async function openStage(options: DemoOptions, password: string, signal: AbortSignal): Promise<Stage> {
  const { dataDir, port } = options;
  // The lab takes minutes to come up, the engine that wants the port comes last.
  await unlessAborted(signal, checkListenAddress('127.0.0.1', port));
  if (options.simulated) return simulatedStage({ dataDir, port, password, signal });
  return labStage({ dataDir, port, password, log: consoleLog(), signal });
}

function introduce(stage: Stage, password: string | null): void {
  say('');
  say(
    `Handover runs at ${stage.engine.url} (API: ${stage.engine.url}/ovirt-engine/api), user admin@internal`,
  );
  if (password !== null) say(`Password of admin@internal: ${password}`);
  say(`${stage.vm} runs on ${stage.hosts[0]} and owns a VF; it can move to ${stage.hosts[1]} and back.`);
  say('');
}

/** Migrates there and back: twice with --once, else until the signal; with --idle only waits for it. */
async function play(
  stage: Stage,
  options: DemoOptions,
  signal: AbortSignal,
  note: (report: MigrationReport) => void,
) {
  const stopped = () => systemClock.sleep(2_147_483_647, signal).catch(() => undefined);
  if (options.idle) {
    say('Waiting for you (--idle). End with Ctrl-C.');
    await stopped();
    return;
  }
  for (let turn = 0; !signal.aborted && !(options.once && turn === 2); turn++) {
    const target = stage.hosts[turn % 2 === 0 ? 1 : 0] as string;
    // Whatever of it still runs ends with the stage.
    const report = await unlessAborted(signal, migrate(stage, target, signal)).catch((error: unknown) => {
      if (options.once || !(error instanceof ApiRefusal)) throw error;
      say(error.said);
      return null;
    });
    if (report !== null) {
      note(report);
      say('');
      for (const line of timelineLines(report, { colour: process.stdout.isTTY, nowMs: systemClock.now() }))
        say(line);
      say('');
    }
    if (report !== null && report.state !== 'succeeded' && !options.once) {
      say('The migration did not succeed; the engine stays up for you to look. End with Ctrl-C.');
      await stopped();
      return;
    }
    if (!options.once) {
      say(`Next move in ${PAUSE_MS / 1000} s. End with Ctrl-C.`);
      await systemClock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }
}

/** One migration, with what was measured across it. Throws `ApiRefusal` if the engine refuses it. */
async function migrate(stage: Stage, target: string, signal: AbortSignal): Promise<MigrationReport> {
  const { api, vm } = stage;
  say(`Moving ${vm} to ${target}`);
  const measurement = await stage.measure();
  signal.throwIfAborted();
  const id = await api.migrate(vm, target).catch(async (error: unknown) => {
    await measurement.discard();
    throw error;
  });
  let last: JobView | null = null;
  try {
    const ended = await api.waitForJob(id, `the migration of ${vm}`, stage.limitMs, (job) => {
      signal.throwIfAborted();
      for (const line of changeLines(last as TimelineMigration | null, job)) say(`  ${line}`);
      last = job;
      return job.ended || job.state === 'needs_operator';
    });
    return migrationReport(ended, await measurement.finish(ended));
  } catch (error) {
    if (last === null) throw error;
    // What was awaited last, and what was seen until then, is in the report anyhow.
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return {
      ...migrationReport(last, NOTHING_MEASURED),
      state: 'failed',
      error: { code: asHandoverError(cause).code, message: explain(cause) },
    };
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${explain(error)}\n`);
    process.exit(1);
  },
);
