/**
 * The lab as a stage: two nested hosts, a real guest with a VF in its bond, probed from outside while it
 * moves.
 */
import { EngineProcess } from '../../lab/engine.ts';
import { EngineApi } from '../../lab/engine-api.ts';
import { bootGuest, type Guest } from '../../lab/guest.ts';
import { type Lab, labDown, labUp } from '../../lab/lab.ts';
import { PROBE_INTERVAL_MS, Probe } from '../../lab/probe.ts';
import { engineName, introduceLab, MIGRATION_LIMIT_MS } from '../../lab/scenarios/support.ts';
import { TcpTransfer } from '../../lab/tcp-transfer.ts';
import { unlessAborted } from '../../lab/unless-aborted.ts';
import { systemClock, until } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { networkGaps } from './report.ts';
import { dataDirectory, type Measurement, type Stage } from './stage.ts';

/** After the job: the guest's bond still settles on its VF. */
const AFTERGLOW_MS = 3_000;

/** Brings the lab up from fresh hosts, starts the engine in it and a guest on the first host. */
export async function labStage(options: {
  dataDir: string | null;
  port: number;
  password: string;
  log: Log;
  /** Ends the start, which may take minutes, and leaves nothing of it running. */
  signal: AbortSignal;
}): Promise<Stage> {
  const { log, signal } = options;
  const { lab, release } = await labUp({ log, fresh: true, purpose: 'demo', signal });
  const data = dataDirectory(options.dataDir);
  const engine = new EngineProcess({
    dataDir: data.path,
    port: options.port,
    password: options.password,
    sshConfigPath: lab.sshConfigPath,
  });
  const close = async () => {
    await engine.stop();
    data.remove();
    await labDown(log, release);
  };
  try {
    const api = new EngineApi(() => engine.url, options.password);
    log.info('starting the engine and a guest with a VF');
    const [guest] = await unlessAborted(signal, Promise.all([bootGuest('a'), engine.start()]));
    await unlessAborted(signal, introduce(lab, api));
    return {
      mode: 'lab',
      engine,
      api,
      vm: guest.place.name,
      hosts: [engineName('a'), engineName('b')],
      limitMs: MIGRATION_LIMIT_MS,
      measure: () => measure(guest),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A data directory used before knows the hosts already. */
async function introduce(lab: Lab, api: EngineApi): Promise<void> {
  const known = await api.list('hosts', 'host');
  if (known.length === 0) await introduceLab(lab, api, 'ssh');
  await until(systemClock, 'the engine to see both hosts', { limitMs: 120_000, everyMs: 500 }, async () => {
    const hosts = await api.list('hosts', 'host');
    return hosts.length === 2 && hosts.every((host) => host.status === 'up') ? true : undefined;
  });
}

async function measure(guest: Guest): Promise<Measurement> {
  const probe = await Probe.start(guest.place.address);
  const transfer = TcpTransfer.start(guest.place.address);
  return {
    async discard() {
      await Promise.all([transfer.finish(), probe.stop()]);
    },
    async finish(job) {
      const endMs = Date.parse(job.endedAt ?? new Date(systemClock.now()).toISOString());
      const untilMs = endMs + AFTERGLOW_MS;
      await systemClock.sleep(Math.max(0, untilMs - systemClock.now()));
      const tcp = await transfer.finish();
      const { sent, received } = await probe.stop();
      return {
        networkGapMs: networkGaps(job, probe.record, untilMs),
        probe: { intervalMs: PROBE_INTERVAL_MS, sent, received },
        tcp: { survived: tcp.survived, bytes: tcp.bytes },
      };
    },
  };
}
