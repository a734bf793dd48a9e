/** A log for set-up that a person waits for: to the terminal, without what is only for debugging. */
import type { Log } from '../../src/base/log.ts';

const say = (message: string, fields?: object) => {
  process.stderr.write(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`);
};

/** Writes to standard error. */
export const consoleLog: Log = { debug() {}, info: say, warn: say, error: say, child: () => consoleLog };
