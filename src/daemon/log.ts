/**
 * The engine's log: pino, one JSON line an entry on stderr, written synchronously because the last lines
 * before a death matter.
 */
import { destination, type Logger, pino } from 'pino';
import type { Log } from '../base/log.ts';
import type { Config } from './config.ts';

/** Makes it. */
export function createLog(level: Config['logLevel']): Log {
  return wrap(
    pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ fd: 2, sync: true })),
  );
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
