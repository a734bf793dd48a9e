/**
 * Probes an address from this machine, by the program `fping`: an echo request every 10 ms. Not `ping`, which
 * spins between answers at such an interval. Owned by whoever starts it.
 */
import { spawn } from 'node:child_process';
import { isIP } from 'node:net';
import { createInterface } from 'node:readline';
import type { StartProbe } from '../app/parts.ts';

const EVERY_MS = 10;
/** An answer that takes longer counts as none; a guest that stands still answers late. */
const LATE_MS = 10_000;
/** `fping -D -l` prints a line for every answer. */
const ANSWER = /^\[(\d+\.\d+)\] \S+ : \[(\d+)\], \d+ bytes/;

/** Starts `fping`. Its absence is a doubt of the record, as an address that is none. */
export const startFping: StartProbe = (address) => {
  if (isIP(address) === 0) return Promise.reject(new Error(`${address} is no IP address`));
  const args = ['-D', '-l', '-p', String(EVERY_MS), '-t', String(LATE_MS), address];
  const child = spawn('fping', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const answers: number[] = [];
  const seen = new Set<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, seconds, sequence = ''] = ANSWER.exec(line) ?? [];
    // Both legs of a bond may deliver one request.
    if (seconds === undefined || seen.has(sequence)) return;
    seen.add(sequence);
    answers.push(Number(seconds) * 1000);
  });
  let doubt: string | null = null;
  const ended = new Promise<void>((resolve) => {
    child.once('error', ({ message }) => {
      doubt = `fping could not be run on the engine's machine (${message}); install it`;
      resolve();
    });
    child.once('close', () => resolve());
  });
  return Promise.resolve({
    async stop() {
      child.kill('SIGTERM');
      await ended;
      answers.sort((a, b) => a - b);
      return {
        everyMs: EVERY_MS,
        answers,
        doubt: doubt ?? (answers.length === 0 ? `${address} did not answer` : null),
      };
    },
  });
};
