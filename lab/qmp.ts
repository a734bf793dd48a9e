/**
 * QEMU's machine protocol, as much of it as starting, saving and restoring a host takes.
 *
 * One connection a call sequence; events are skipped. Callers: `hosts.ts`, `bake.ts`.
 */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { systemClock, until } from '../src/base/clock.ts';

/** No command used here takes long by itself: what does (migrate) is polled. */
const ANSWER_LIMIT_MS = 60_000;

export interface Qmp {
  /**
   * Sends a command, returns its `return` value; throws with QEMU's words on an error or when it does not
   * answer.
   */
  execute(command: string, args?: object): Promise<Record<string, unknown>>;
  close(): void;
}

/** Connects to the QMP socket at `path` and leaves capability negotiation. */
export async function openQmp(path: string): Promise<Qmp> {
  const socket = await connect(path);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (command: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done) throw new Error(`QEMU at ${path} closed the connection during ${command}`);
      const message = JSON.parse(value) as { return?: Record<string, unknown>; error?: { desc: string } };
      if (message.error) throw new Error(`QEMU refused ${command}: ${message.error.desc}`);
      if (message.return !== undefined) return message.return;
    }
  };
  const execute = async (command: string, args?: object) => {
    const cancel = systemClock.after(ANSWER_LIMIT_MS, () => socket.destroy());
    socket.write(`${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}) })}\n`);
    try {
      return await answer(command);
    } finally {
      cancel();
    }
  };
  await execute('qmp_capabilities');
  return { execute, close: () => socket.destroy() };
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // From here on a broken connection shows as the end of its lines.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/**
 * Writes the stopped machine's state (memory, devices) to `file`, in place-mapped form so that it loads in
 * seconds.
 */
export async function saveState(qmp: Qmp, file: string): Promise<void> {
  await setMappedRam(qmp);
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 10 * 1024 ** 3 });
  await qmp.execute('migrate', { uri: `file:${file}` });
  await until(systemClock, `state saved to ${file}`, { limitMs: 120_000, everyMs: 200 }, async () => {
    const { status, 'error-desc': reason } = await qmp.execute('query-migrate');
    if (status === 'failed') throw new Error(`QEMU could not save its state to ${file}: ${String(reason)}`);
    return status === 'completed' || undefined;
  });
}

/** Loads what `saveState` wrote into a QEMU started with `-incoming defer`, and lets it run. */
export async function loadState(qmp: Qmp, file: string): Promise<void> {
  await setMappedRam(qmp);
  await qmp.execute('migrate-incoming', { uri: `file:${file}` });
  await until(systemClock, `state loaded from ${file}`, { limitMs: 120_000, everyMs: 100 }, async () => {
    const { status } = await qmp.execute('query-status');
    return status !== 'inmigrate' || undefined;
  });
  // The state was saved from a stopped machine, and is restored as one.
  await qmp.execute('cont');
}

async function setMappedRam(qmp: Qmp): Promise<void> {
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [{ capability: 'mapped-ram', state: true }],
  });
}
