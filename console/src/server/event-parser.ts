/**
 * Server-sent events out of chunks of text (WHATWG HTML, "Server-sent events"). Knows nothing of their data.
 */

/** One event. */
export interface SentEvent {
  readonly id: string;
  readonly data: string;
}

/** Returns a function that takes chunks as they come and answers the events that are complete by then. */
export function eventParser(): (chunk: string) => readonly SentEvent[] {
  let rest = '';
  let id = '';
  let data: string[] = [];
  return (chunk) => {
    const found: SentEvent[] = [];
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const ended of lines) {
      const line = ended.replace(/\r$/, '');
      if (line === '') {
        if (data.length > 0) found.push({ id, data: data.join('\n') });
        data = [];
        continue;
      }
      const [, field, value = ''] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === 'id') id = value;
      if (field === 'data') data.push(value);
    }
    return found;
  };
}
