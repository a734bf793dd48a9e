/** A `Log` for people at a terminal: one line each on standard error, with the seconds since the start. */
import { systemClock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';

/** Prints `info` and above; fields follow the message. */
export function consoleLog(): Log {
  const startMs = systemClock.monotonicMs();
  const print = (message: string, fields?: object) => {
    const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(1).padStart(6);
    const more = fields && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
    process.stderr.write(`[${seconds} s] ${message}${more}\n`);
  };
  const log: Log = { debug() {}, info: print, warn: print, error: print, child: () => log };
  return log;
}
