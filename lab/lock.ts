/**
 * One user of a lab at a time, and one builder of the cache all labs share, over all processes of the
 * machine.
 *
 * The lock is a listening abstract unix socket: the kernel frees it when its holder dies, however it dies,
 * and who connects is told who holds it. Abstract sockets belong to a network namespace: take the lock in the
 * machine's own.
 * Callers: `lab.ts`.
 */
import { createConnection, createServer } from 'node:net';
import { until, systemClock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';
import { NAMESPACE } from './topology.ts';

/** What can be locked: this lab, or the cache. */
const ADDRESSES = { lab: `\0${NAMESPACE}-lock`, cache: '\0handover-lab-cache-lock' } as const;
export type Lockable = keyof typeof ADDRESSES;

/** Frees the lock. */
export type Release = () => void;

/**
 * Takes a lock, waiting at most `limitMs` for its holder; `purpose` is what others are told meanwhile.
 * Throws an Error naming the holder when the limit is reached.
 */
export async function lock(what: Lockable, purpose: string, limitMs: number, log: Log): Promise<Release> {
  const address = ADDRESSES[what];
  let told = false;
  try {
    return await until(systemClock, `the ${what} is free`, { limitMs, everyMs: 500 }, async () => {
      const release = await tryLock(address, `pid ${process.pid}: ${purpose}`);
      if (!release && !told) {
        told = true;
        log.info(
          `the ${what} is in use (${await askHolder(address)}); waiting up to ` +
            `${Math.round(limitMs / 1000)} s`,
        );
      }
      return release;
    });
  } catch (error) {
    throw new Error(`the ${what} is in use (${await askHolder(address)}): try again when it is done`, {
      cause: error,
    });
  }
}

function tryLock(address: string, answer: string): Promise<Release | undefined> {
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
    server.listen({ path: address }, () => resolve(() => server.close()));
  });
}

function askHolder(address: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ path: address });
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text || 'its holder does not say who it is'));
  });
}
