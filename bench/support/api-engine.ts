/**
 * One engine in a process of its own, for `bench/api.ts`, which starts it with `--expose-gc` and a channel:
 * arguments DATA_DIR DATABASE_URL PASSWORD. Says `{url}` once it listens, and answers every message: `watch`
 * with what it uses after a collection, and from then on the largest heap is noted; `peak` with what it uses
 * now and the largest heap since; `stop` by ending.
 */
import { silentLog } from '../../src/base/log.ts';
import { startEngine } from '../../src/daemon/engine.ts';

/** What the process uses, MiB. */
export interface EngineLook {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly heapMiBMax: number;
}

const WATCH_EVERY_MS = 10;
const MIB = 2 ** 20;
const [dataDir = '', databaseUrl = '', adminPassword = ''] = process.argv.slice(2);
const tell = process.send?.bind(process);
const collect = globalThis.gc;
if (!tell || !collect) throw new Error('this is started by bench/api.ts');

const engine = await startEngine(
  {
    dataDir,
    listenHost: '127.0.0.1',
    port: 0,
    listenFd: null,
    tls: 'auto',
    databaseUrl,
    adminPassword,
    simulated: false,
    simhostDir: null,
    sshConfig: null,
    hooksFile: null,
    logLevel: 'error',
    owner: 'bench',
  },
  silentLog,
);

/** JavaScript's objects, and the buffers beside them. */
const heapMiB = () => {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MIB;
};
let heapMiBMax = 0;
let watching: ReturnType<typeof setInterval> | null = null;

function look(): EngineLook {
  return { rssMiB: process.memoryUsage.rss() / MIB, heapMiB: heapMiB(), heapMiBMax };
}

process.on('message', (asked: 'watch' | 'peak' | 'stop') => {
  if (asked === 'stop') {
    void engine.stop().then(() => process.disconnect());
    return;
  }
  if (asked === 'watch') {
    collect();
    heapMiBMax = heapMiB();
    watching ??= setInterval(() => {
      heapMiBMax = Math.max(heapMiBMax, heapMiB());
    }, WATCH_EVERY_MS);
  }
  if (asked === 'peak' && watching) {
    clearInterval(watching);
    watching = null;
  }
  tell(look());
});
// Who started it is gone, and nobody else would end it.
process.on('disconnect', () => process.exit());
tell({ url: engine.url });
