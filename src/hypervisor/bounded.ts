/** Many small questions to one host, a few at a time. Pure control flow. */

/** A connection carries 4 requests at once; one place is left for whoever looks at a domain meanwhile. */
const AT_ONCE = 3;

/** `Promise.all(items.map(each))` with at most 3 running. The first failure stops it and is thrown. */
export async function mapBounded<T, R>(items: Iterable<T>, each: (item: T) => Promise<R>): Promise<R[]> {
  const queue = [...items];
  const results: R[] = new Array<R>(queue.length);
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < queue.length && !failed) {
      const index = next++;
      try {
        results[index] = await each(queue[index] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, worker));
  return results;
}
