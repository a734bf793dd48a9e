/**
 * A whole engine on simulated hosts, in this process, on a database of its own; and a client signed on to it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.ts';
import type { Config } from '../../src/daemon/config.ts';
import { startEngine } from '../../src/daemon/engine.ts';
import { freshDatabase } from './postgres.ts';

const PASSWORD = 'simulated-1';

/** The engine and how to ask it. */
export interface SimulatedEngine {
  readonly url: string;
  /** Of the administrator who is signed on. */
  readonly token: string;
  readonly password: string;
  /** Asks oVirt's API (`vms`) or, with a slash before, any path (`/api/jobs`); JSON in and out. */
  ask<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: T }>;
  /** Stops the engine, and once `meanwhile` is done starts it again, on the same database and port. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts one; stop it. The hosts are those of the demo; with `simhostDir` none to begin with, and those that
 * `handover-simhost` serves there can be added.
 */
export async function startSimulatedEngine(simhostDir: string | null = null): Promise<SimulatedEngine> {
  const dataDir = mkdtempSync(join(tmpdir(), 'handover-sim-'));
  const { host, port, user, database } = await freshDatabase();
  const query = new URLSearchParams({ host: String(host), port: String(port) }).toString();
  const config: Config = {
    dataDir,
    listenHost: '127.0.0.1',
    port: 0,
    listenFd: null,
    tls: 'auto',
    databaseUrl: `postgresql://${String(user)}@localhost/${String(database)}?${query}`,
    adminPassword: PASSWORD,
    simulated: simhostDir === null,
    simhostDir,
    sshConfig: null,
    hooksFile: null,
    logLevel: 'error',
    owner: 'test',
  };
  let engine = await startEngine(config, silentLog);
  const token = await signOn(engine.url, PASSWORD);
  return {
    url: engine.url,
    token,
    password: PASSWORD,
    async ask<T>(method: string, path: string, body?: object) {
      const answer = await fetch(engine.url + (path.startsWith('/') ? path : `/ovirt-engine/api/${path}`), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as T };
    },
    async restart(meanwhile) {
      const port = Number(new URL(engine.url).port);
      await engine.stop();
      try {
        await meanwhile();
      } finally {
        engine = await startEngine({ ...config, port }, silentLog);
      }
    },
    async stop() {
      await engine.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The token of `admin@internal` with this password. */
export async function signOn(url: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/ovirt-engine/sso/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'password',
      scope: 'ovirt-app-api',
      username: 'admin@internal',
      password,
    }).toString(),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
