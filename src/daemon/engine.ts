/**
 * The composition root: one engine, wired from its parts and taken down in the reverse order. Nothing imports
 * the daemon.
 */
import { createMetrics } from './metrics.ts';
import { startFping } from './fping.ts';
import { createApi } from '../api/create-api.ts';
import { startBackground } from '../app/background.ts';
import { createUseCases } from '../app/create-use-cases.ts';
import type { AppParts } from '../app/parts.ts';
import { ensureAdmin } from '../app/users.ts';
import { systemClock } from '../base/clock.ts';
import { explain } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { Hypervisors } from '../hypervisor/port.ts';
import { createHypervisors } from '../hypervisor/libvirt-hypervisor.ts';
import { RUNNER_DEFAULTS } from '../saga/runner.ts';
import { openStore } from '../store/open-store.ts';
import type { Config } from './config.ts';
import { builtConsole } from './console-dir.ts';
import { readHooks } from './hooks-file.ts';
import { checkListenAddress } from './listen-address.ts';
import { startPostgres } from './postgres.ts';
import type { Simulation } from './simulation.ts';
import { openTls, requireLoopback } from './tls.ts';

/** A running engine. */
export interface Engine {
  /** Where the API listens: `http://127.0.0.1:8080`, `https://...` with TLS. */
  readonly url: string;
  /** Set when the administrator's password was made up at this start: shown once, kept nowhere in clear. */
  readonly generatedPassword: string | null;
  /** Certificate of the engine's own authority, for clients to trust; null if it has none. */
  readonly caFile: string | null;
  /**
   * Ends everything this engine started, PostgreSQL included, within 5 s. Running jobs are taken up at the
   * next start.
   */
  stop(): Promise<void>;
}

/** Starts an engine; a failure half-way takes down what had been started. */
export async function startEngine(config: Config, log: Log): Promise<Engine> {
  const clock = systemClock;
  const random = systemRandom;
  const stops: (() => Promise<void>)[] = [];
  const hooks = config.hooksFile === null ? [] : readHooks(config.hooksFile);
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) {
      await each().catch((thrown: unknown) => log.warn('not stopped cleanly', { error: explain(thrown) }));
    }
  };
  try {
    if (config.listenFd === null) await checkListenAddress(config.listenHost, config.port);
    const tls = await openTls(config, clock.now(), log);
    const connection = config.databaseUrl
      ? { connectionString: config.databaseUrl }
      : await embedded(config, log, stops);
    const store = await openStore({ connection, clock, log });
    stops.push(() => store.close());

    const simulation = config.simulated ? await simulate(config, log) : null;
    if (simulation) stops.push(() => simulation.close());
    const hypervisors = await openHypervisors(config, log, simulation);
    stops.push(() => hypervisors.close());

    const parts: AppParts = {
      store,
      hypervisors,
      clock,
      random,
      log,
      startProbe: startFping,
      hooks,
      metrics: createMetrics(),
    };
    log.info('hooks of the operator', { count: hooks.length });
    const generatedPassword = await ensureAdmin(parts, config.adminPassword);
    const useCases = createUseCases(parts);
    if (simulation) await simulation.introduce(useCases);

    const background = startBackground(parts, { ...RUNNER_DEFAULTS, owner: config.owner });
    stops.push(() => background.stop());

    const api = createApi({
      useCases,
      clock,
      random,
      log,
      consoleDir: builtConsole(),
      ...(tls ? { tls } : {}),
    });
    stops.push(() => api.close());
    const url = await api.listen(
      config.listenFd === null
        ? { host: config.listenHost, port: config.port }
        : ({ fd: config.listenFd } as never),
    );
    const address = api.server.address();
    if (tls === null) requireLoopback(typeof address === 'object' ? (address?.address ?? null) : null);
    return { url, generatedPassword, caFile: tls?.caFile ?? null, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function embedded(config: Config, log: Log, stops: (() => Promise<void>)[]) {
  const postgres = await startPostgres({ dataDir: config.dataDir, clock: systemClock, log });
  stops.push(() => postgres.stop());
  return postgres.connection;
}

/** Loaded only when asked for: an engine on real hosts carries nothing of the simulator. */
async function simulate(config: Config, log: Log): Promise<Simulation> {
  const { startSimulation } = await import('./simulation.ts');
  return startSimulation({ dataDir: config.dataDir, clock: systemClock, random: systemRandom, log });
}

async function openHypervisors(
  config: Config,
  log: Log,
  simulation: Simulation | null,
): Promise<Hypervisors> {
  const openShell = simulation?.openShell ?? (await simhostShells(config));
  return createHypervisors({
    clock: systemClock,
    log,
    ...(config.sshConfig === null ? {} : { sshConfig: config.sshConfig }),
    ...(openShell ? { openShell } : {}),
  });
}

/** Shells of hosts that another process simulates; loaded only when asked for. */
async function simhostShells({ simhostDir }: Config) {
  if (simhostDir === null) return null;
  const { simulatedShells } = await import('../simhost/process/channel-client.ts');
  return simulatedShells(systemClock, simhostDir);
}
