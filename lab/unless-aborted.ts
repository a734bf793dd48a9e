/** Not waiting for work any longer than wanted. Callers: `lab.ts` and the demo, whose start takes minutes. */

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
