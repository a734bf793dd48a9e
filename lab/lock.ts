/**
 * One user of the lab at a time, over all processes of the machine.
 *
 * The lock is a listening abstract unix socket: the kernel frees it when its holder dies, however it dies, and who
 * connects is told who holds it. Abstract sockets belong to a network namespace: take the lock in the machine's own.
 * Callers: `lab.ts`.
 */
import { createConnection, createServer } from 'node:net';
import { until, systemClock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';

const ADDRESS = '\0handover-lab-lock';

/** Frees the lock. */
export type Release = () => void;

/**
 * Takes the lock, waiting at most `limitMs` for its holder; `purpose` is what others are told meanwhile.
 * Throws an Error naming the holder when the limit is reached.
 */
export async function lockLab(purpose: string, limitMs: number, log: Log): Promise<Release> {
  let told = false;
  try {
    return await until(systemClock, 'the lab is free', { limitMs, everyMs: 500 }, async () => {
      const release = await tryLock(`pid ${process.pid}: ${purpose}`);
      if (!release && !told) {
        told = true;
        log.info(`the lab is in use (${await askHolder()}); waiting up to ${Math.round(limitMs / 1000)} s`);
      }
      return release;
    });
  } catch (error) {
    throw new Error(`the lab is in use (${await askHolder()}): try again when it is done`, { cause: error });
  }
}

function tryLock(answer: string): Promise<Release | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(answer);
    });
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: ADDRESS }, () => resolve(() => server.close()));
  });
}

function askHolder(): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ path: ADDRESS });
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text || 'its holder does not say who it is'));
  });
}
