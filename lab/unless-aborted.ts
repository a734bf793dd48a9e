/**
 * Not waiting for work any longer than wanted. Callers: what brings up the lab, whose start takes minutes.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * What `work` comes to, or a rejection as soon as `signal` aborts. The work itself goes on: for callers that
 * then take the ground from under it, or end the process.
 */
export function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Aborts with the first signal that asks this process to end; `ignore` lets signals end it at once again. */
export function abortOnSignal(): { readonly signal: AbortSignal; readonly ignore: () => void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => controller.abort(new Error(`ended by ${name}`));
  for (const name of SIGNALS) process.once(name, onSignal);
  return {
    signal: controller.signal,
    ignore() {
      for (const name of SIGNALS) process.removeListener(name, onSignal);
    },
  };
}
