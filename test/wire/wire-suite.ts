/**
 * What any libvirt server on the wire must do, real or simulated: one suite, run against each kind. It uses
 * the client of the product and nothing else, so it passes against whatever speaks the protocol.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type ClientOptions, connect, type LibvirtClient } from '../../src/libvirt/index.ts';
import { connectionTests } from './suite-connection.ts';
import { domainTests } from './suite-domain.ts';
import { hostTests } from './suite-host.ts';
import { migrationTests } from './suite-migration.ts';

/** A running server of the kind under test. */
export interface WireServer {
  /** Opens the hypervisor driver. */
  readonly uri: string;
  /** What another server dials to migrate to this one. */
  readonly peerUri: string;
  /** Its process is killed, or as good as: connections end without a word. */
  kill(): Promise<void>;
  /** Ends it and all it runs. May be called again. */
  stop(): Promise<void>;
}

/** Starts a server that can migrate to those started before it. Each test file counts `index` from 0. */
export type StartServer = (index: number) => Promise<WireServer>;

/** What the tests of the suite work with. */
export interface SuiteContext {
  /** The two servers all tests share; not to be killed. */
  readonly a: WireServer;
  readonly b: WireServer;
  /** One more server, for a test that kills it. */
  startAnother(): Promise<WireServer>;
  /** A connection that is closed after the suite. */
  open(server: WireServer, options?: Partial<ClientOptions>): Promise<LibvirtClient>;
}

const START_LIMIT_MS = 300_000;

/** Declares the suite for servers that `start` starts. */
export function wireSuite(name: string, start: StartServer): void {
  describe(name, () => {
    const servers: WireServer[] = [];
    const clients: LibvirtClient[] = [];
    let started = 0;
    const startOne = async () => {
      const server = await start(started++);
      servers.push(server);
      return server;
    };
    beforeAll(async () => {
      await startOne();
      await startOne();
    }, START_LIMIT_MS);
    afterAll(async () => {
      for (const client of clients) await client.close();
      for (const server of servers) await server.stop();
    }, START_LIMIT_MS);

    const context: SuiteContext = {
      get a() {
        return servers[0] as WireServer;
      },
      get b() {
        return servers[1] as WireServer;
      },
      startAnother: startOne,
      async open(server, options = {}) {
        const client = await connect(server.uri, { clock: systemClock, log: silentLog, ...options });
        clients.push(client);
        return client;
      },
    };
    connectionTests(context);
    hostTests(context);
    domainTests(context);
    migrationTests(context);
  });
}
