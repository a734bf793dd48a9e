/** Clients of `/api/events/stream`, for `bench/api.ts`: what each was told, and how long it took. */
import { Agent, type ClientRequest, request } from 'node:http';
import type { Asked } from './http-load.ts';

/** Listeners of one engine. */
export interface EventListeners {
  /** Events heard by all of them together. */
  heard(): number;
  /** From the time an event was recorded until a listener had it, ms. */
  readonly delaysMs: readonly number[];
  /** Of each listener, the ids in the order they came. */
  readonly ids: readonly (readonly number[])[];
  close(): void;
}

/** Connects one for each token; resolves when all are listening. */
export async function openListeners(
  { url }: Pick<Asked, 'url'>,
  tokens: readonly string[],
): Promise<EventListeners> {
  const agent = new Agent({ keepAlive: true });
  const delaysMs: number[] = [];
  const ids: number[][] = [];
  const open: ClientRequest[] = [];
  const listen = (token: string) =>
    new Promise<void>((resolve, reject) => {
      const mine: number[] = [];
      ids.push(mine);
      const sent = request(`${url}/api/events/stream`, {
        agent,
        headers: { authorization: `Bearer ${token}` },
      });
      open.push(sent);
      sent.on('error', reject);
      sent.on('response', (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`a listener was answered with ${answer.statusCode}`));
        let rest = '';
        answer.setEncoding('utf8');
        answer.on('error', () => undefined);
        answer.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            if (line.startsWith('retry:')) resolve();
            if (!line.startsWith('data: ')) continue;
            const { id, time } = JSON.parse(line.slice(6)) as { id: number; time: string };
            mine.push(id);
            delaysMs.push(Date.now() - Date.parse(time));
          }
        });
      });
      sent.end();
    });
  for (let from = 0; from < tokens.length; from += 50)
    await Promise.all(tokens.slice(from, from + 50).map(listen));
  return {
    heard: () => delaysMs.length,
    delaysMs,
    ids,
    close() {
      for (const each of open) each.on('error', () => undefined).destroy();
      agent.destroy();
    },
  };
}
