/** The whole list of VMs while it is sent: what becomes of it when either side ends it in the middle. */
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { VmId } from '../../src/base/ids.ts';
import type { Vm } from '../../src/model/vm.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { aVm, newId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';

/** More than fits into the buffers between the engine and a client that does not read. */
const COUNT = 8_000;
/** Those of one part. */
const PART = 100;

let server: ApiServer;
/** How many parts were read. */
let reads = 0;
let client: ClientRequest;
beforeEach(async () => {
  server = await startApiServer();
  const vms = Array.from({ length: COUNT }, (_, at) =>
    aVm({ id: newId<VmId>(), name: `vm-${String(at).padStart(5, '0')}` }),
  );
  reads = 0;
  Object.defineProperty(server.world, 'vms', {
    get(): Vm[] {
      reads += 1;
      return vms;
    },
  });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

/** Asks for the list and reads nothing of the answer. */
function begun(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.token}` };
    client = get(`${server.url}/ovirt-engine/api/vms`, { headers }, resolve);
    client.on('error', reject);
  });
}

/** All that comes, and whether the answer was whole. */
async function rest(answer: IncomingMessage): Promise<{ text: string; isWhole: boolean }> {
  let text = '';
  try {
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
  } catch {
    // Cut: `complete` tells.
  }
  return { text, isWhole: answer.complete };
}

test('is read no faster than the client takes it', async () => {
  const answer = await begun();
  await server.ask('GET', 'networks');
  expect(reads).toBeLessThan(COUNT / PART);
  const { text, isWhole } = await rest(answer);
  expect(isWhole).toBe(true);
  expect(text.match(/<vm /g)).toHaveLength(COUNT);
  expect(reads).toBe(COUNT / PART + 1);
});

test('is cut, not ended, if it cannot be read to its end', async () => {
  const answer = await begun();
  server.world.failNext = new Error('the database went away');
  const { text, isWhole } = await rest(answer);
  expect(isWhole).toBe(false);
  expect(text).toContain('<vms><vm ');
  expect(text).not.toContain('</vms>');
  expect((await server.ask('GET', 'networks')).status).toBe(200);
});

test('is read no further once the client is gone', async () => {
  await begun();
  client.destroy();
  await eventually('the connection is gone', async () => {
    const open = await new Promise<number>((resolve, reject) => {
      server.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
    return open === 0;
  });
  await server.ask('GET', 'networks');
  const before = reads;
  await server.ask('GET', 'networks');
  expect(reads).toBe(before);
  expect(reads).toBeLessThan(COUNT / PART);
});
