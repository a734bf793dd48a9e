/** Events as a client follows them over HTTP, from the real engine on its database. */
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

let engine: SimulatedEngine;
beforeAll(async () => {
  engine = await startSimulatedEngine();
});
afterAll(() => engine.stop());

interface Told {
  readonly id: string;
  readonly data: { readonly message: string; readonly id: number };
}

/** Follows the stream; `told` grows. */
async function follow(headers: Record<string, string> = {}, query = '') {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const url = `${engine.url}/api/events/stream${query}`;
    get(url, { headers: { authorization: `Bearer ${engine.token}`, ...headers } }, resolve).on(
      'error',
      reject,
    );
  });
  const told: Told[] = [];
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    const whole = text.split('\n\n');
    text = whole.pop() ?? '';
    for (const each of whole) {
      const fields = new Map(each.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]));
      const [id, data] = [fields.get('id'), fields.get('data')];
      if (id !== undefined && data !== undefined) told.push({ id, data: JSON.parse(data) as Told['data'] });
    }
  });
  return { response, told, stop: () => response.destroy() };
}

test('what happens is told at once, with its id', async () => {
  const { response, told, stop } = await follow();
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/event-stream');
  const vms = (await engine.ask<{ vm: { id: string }[] }>('GET', 'vms?search=name%3Dweb-1')).body.vm;
  await engine.ask('POST', `vms/${vms[0]?.id}/migrate`, {});
  const done = await eventually('the end of the migration', () =>
    told.find(({ data }) => data.message.startsWith('Migration completed')),
  );
  expect(done.id).toBe(String(done.data.id));
  stop();
});

test('who names the last one it has is told what it missed, once and in order', async () => {
  const hosts = (await engine.ask<{ host: { id: string }[] }>('GET', 'hosts')).body.host;
  for (const verb of ['deactivate', 'activate'])
    await engine.ask('POST', `hosts/${hosts[0]?.id}/${verb}`, {});
  const all = await follow({}, '?after=0');
  await eventually('all there is', () => all.told.length > 3);
  const resumed = await follow({ 'last-event-id': String(all.told[0]?.id) });
  await eventually('the rest', () => resumed.told.length === all.told.length - 1);
  expect(resumed.told.map(({ id }) => id)).toEqual(all.told.slice(1).map(({ id }) => id));
  all.stop();
  resumed.stop();
});

test('an id that is none is refused, and so is nobody', async () => {
  const wrong = await follow({ 'last-event-id': 'yesterday' });
  expect(wrong.response.statusCode).toBe(400);
  wrong.stop();
  const nobody = await follow({ authorization: '' });
  expect(nobody.response.statusCode).toBe(401);
  nobody.stop();
});
