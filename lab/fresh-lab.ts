/**
 * The lab for as long as something runs on it. Callers: the runner of scenarios, benches.
 */
import { messageOf } from '../src/base/errors.ts';
import type { Log } from '../src/base/log.ts';
import { type Lab, labDown, labIsUp, labUp, resetHosts } from './lab.ts';
import { abortOnSignal } from './unless-aborted.ts';

/**
 * Runs `body` on hosts as freshly booted and leaves the lab as it was found: up (hosts reset) or down.
 * `purpose` is what others who want the lab are told. Interrupted, it ends the lab and then the process.
 */
export async function withFreshLab<T>(purpose: string, log: Log, body: (lab: Lab) => Promise<T>): Promise<T> {
  const wasUp = labIsUp();
  const { signal, ignore } = abortOnSignal();
  const { lab, release } = await labUp({ log, fresh: true, purpose, signal });
  const onAbort = () => {
    log.info(`${messageOf(signal.reason)}: ending the lab`);
    void labDown(log, release).finally(() => process.exit(1));
  };
  signal.addEventListener('abort', onAbort);
  try {
    return await body(lab);
  } finally {
    ignore();
    if (wasUp) {
      await resetHosts(log);
      release();
    } else await labDown(log, release);
  }
}
