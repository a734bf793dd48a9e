/** Whatever is asked, the answer is no 500 and has a form clients can read. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  actionType,
  hostType,
  networkLabelType,
  networkType,
  nicType,
  vnicProfileType,
} from '../../src/api/ovirt/schema/index.ts';
import type { EntityType, Field, Fields } from '../../src/api/ovirt/wire/fields.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

const RUNS = 400;
/** All of them together take a second; a search that backtracks takes for ever. */
const SEARCH_LIMIT_MS = 60_000;

/** Pieces of paths: real ones, ids of real things, and rubbish. */
function pathPieces(): fc.Arbitrary<string> {
  const { web1, hostA, prod, vfProfile } = server;
  const real = [
    'vms',
    'hosts',
    'nics',
    'networks',
    'networklabels',
    'vnicprofiles',
    'jobs',
    'events',
    'steps',
    'devices',
    'networkattachments',
    'virtualfunctionallowedlabels',
    'updatevirtualfunctionsconfiguration',
    'deactivate',
    'options',
    'templates',
    'disks',
    'hostdevices',
    'permissions',
  ];
  const ids = [web1.id, hostA.id, prod.id, vfProfile.id, web1.vnics[0]?.id ?? ''];
  const rubbish = ['..', '.', '', '%00', '%2e%2e', '%zz', ';', ';max=1', ';=', ':id', '*', '__proto__', 'v4'];
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...real) },
    { weight: 4, arbitrary: fc.constantFrom<string>(...ids) },
    { weight: 2, arbitrary: fc.constantFrom(...rubbish) },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }).map(encodeURIComponent) },
  );
}

const queries = fc.dictionary(
  fc.constantFrom(
    'search',
    'max',
    'follow',
    'from',
    'plan',
    'correlation_id',
    'migration_target_of',
    'case_sensitive',
    'all_content',
    'x',
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      '-1',
      '0',
      '1e9',
      'nics.vnic_profile',
      'steps,',
      'name=web*',
      'name=',
      'a=b or',
      'page 0',
    ),
    fc.string({ maxLength: 30 }),
  ),
);

const bodies = fc.oneof(
  fc.constantFrom('', '{}', '[]', 'null', '"x"', '<action/>', '<vnic_profile/>', '<a><b></a>', '{"name":{}}'),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 100 }),
);

const types = fc.constantFrom(
  'application/xml',
  'application/json',
  'text/plain',
  'application/json; charset=x',
  'nonsense',
);

test('no request makes a 500', async () => {
  const requests = fc.record({
    method: fc.constantFrom('GET' as const, 'POST' as const, 'PUT' as const, 'DELETE' as const),
    root: fc.constantFrom('/ovirt-engine/api/', '/ovirt-engine/api/v4/', '/api/', '/'),
    pieces: fc.array(pathPieces(), { maxLength: 6 }),
    query: queries,
    body: bodies,
    type: types,
    accept: fc.constantFrom('application/json', 'application/xml', '*/*', 'a/b;q=x', ''),
  });
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, root, pieces, query, body, type, accept }) => {
      const answer = await server.app.inject({
        method,
        url: `${root}${pieces.join('/')}?${new URLSearchParams(query).toString()}`,
        headers: { authorization: `Bearer ${server.token}`, accept, 'content-type': type },
        ...(method === 'GET' ? {} : { payload: body }),
      });
      expect(answer.statusCode).toBeLessThan(500);
      const isJson = String(answer.headers['content-type']).startsWith('application/json');
      if (isJson) JSON.parse(answer.body);
      else expect(answer.body).toMatch(/^<\?xml /);
    }),
    { numRuns: RUNS },
  );
});

/**
 * Values of a described type: right ones, near misses and rubbish, so that a request gets beyond its reader.
 */
function valuesOf(field: Field, depth = 0): fc.Arbitrary<unknown> {
  const rubbish = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('', null, [], {}, -1, 1e21, true));
  const right = (): fc.Arbitrary<unknown> => {
    switch (field.kind) {
      case 'bool':
        return fc.constantFrom('true', 'false', true, '0');
      case 'int':
      case 'decimal':
      case 'date':
        return fc.oneof(fc.integer(), fc.constantFrom('0', '7', '-0', '00', '1e3', '99999999999999999999'));
      case 'word':
        return fc.constantFrom(...field.allowed);
      case 'struct':
        return depth > 2 ? fc.constant({}) : entitiesOf(field.fields, depth + 1);
      case 'ref':
        return fc.constantFrom(
          {},
          { id: server.prod.id },
          { id: server.plainProfile.id },
          { id: server.hostB.id },
          { name: 'host-b' },
          { id: 'x' },
        );
      case 'list':
        return fc
          .array(valuesOf(field.of, depth + 1), { maxLength: 3 })
          .map((items) => ({ [field.tag]: items }));
      default:
        return fc.oneof(fc.constantFrom('web-1', 'prod', '52:54:00:00:00:01'), fc.string({ maxLength: 300 }));
    }
  };
  return fc.oneof({ weight: 5, arbitrary: right() }, { weight: 1, arbitrary: rubbish });
}

function entitiesOf(fields: Fields, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const of = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, valuesOf(field, depth)] as const),
  );
  return fc.record(of, { requiredKeys: [] });
}

/** As an XML client would write it, or somebody who does not know how. */
function toXml(tag: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => toXml(tag, each)).join('');
  if (typeof value !== 'object' || value === null) {
    const text = String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    return `<${tag}>${text}</${tag}>`;
  }
  const { id, ...rest } = value as Record<string, unknown>;
  const attribute = typeof id === 'string' ? ` id="${id.replace(/[&<"]/g, '')}"` : '';
  const inner = Object.entries(rest).map(([name, each]) => toXml(name, each));
  return `<${tag}${attribute}>${inner.join('')}</${tag}>`;
}

test('no body of the right shape makes a 500, in either format', async () => {
  const { web1, hostA, hostB, prod, vfProfile } = server;
  const requests: readonly (readonly [method: 'POST' | 'PUT', path: string, type: EntityType])[] = [
    ['POST', 'networks', networkType],
    ['PUT', `networks/${prod.id}`, networkType],
    ['POST', `networks/${prod.id}/networklabels`, networkLabelType],
    ['POST', 'vnicprofiles', vnicProfileType],
    ['PUT', `vnicprofiles/${vfProfile.id}`, vnicProfileType],
    ['POST', `networks/${prod.id}/vnicprofiles`, vnicProfileType],
    ['POST', 'hosts', hostType],
    ['PUT', `hosts/${hostB.id}`, hostType],
    ['POST', `hosts/${hostA.id}/deactivate`, actionType],
    ['POST', `hosts/${hostA.id}/activate`, actionType],
    ['PUT', `vms/${web1.id}/nics/${web1.vnics[0]?.id}`, nicType],
    ['POST', `vms/${web1.id}/migrate`, actionType],
  ];
  for (const [method, path, type] of requests) {
    await fc.assert(
      fc.asyncProperty(entitiesOf(type.fields), fc.boolean(), async (body, isXml) => {
        const format = isXml ? 'application/xml' : 'application/json';
        const answer = await server.app.inject({
          method,
          url: `/ovirt-engine/api/${path}`,
          headers: { authorization: `Bearer ${server.token}`, accept: format, 'content-type': format },
          payload: isXml ? toXml(type.tag, body) : JSON.stringify(body),
        });
        expect(answer.statusCode).toBeLessThan(500);
        if (!isXml) JSON.parse(answer.body);
      }),
      { numRuns: 60 },
    );
  }
});

test('no search makes a 500 or takes long, whatever it is made of', async () => {
  const words = fc.oneof(
    fc.constantFrom('name', 'status', 'host', 'vms.name', 'sortby', 'page', 'and', 'or', 'asc', 'desc'),
    fc.constantFrom('=', '!=', '<', '>', '<=', '>=', '"', '*', '**', '\\', '(', ')', '%', '2', '99999999999'),
    fc.string({ maxLength: 6 }),
    fc.integer({ min: 1, max: 400 }).map((length) => '*a'.repeat(length)),
  );
  const texts = fc
    .tuple(fc.array(words, { maxLength: 40 }), fc.constantFrom(' ', ''))
    .map(([all, between]) => all.join(between));
  const collections = fc.constantFrom('vms', 'hosts', 'networks', 'events', 'datacenters', 'disks');
  await fc.assert(
    fc.asyncProperty(collections, texts, fc.boolean(), async (collection, text, isCaseSensitive) => {
      const query = new URLSearchParams({ search: text, case_sensitive: String(isCaseSensitive) });
      const answer = await server.app.inject({
        url: `/ovirt-engine/api/${collection}?${query.toString()}`,
        headers: { authorization: `Bearer ${server.token}` },
      });
      expect([200, 400]).toContain(answer.statusCode);
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: SEARCH_LIMIT_MS, markInterruptAsFailure: true },
  );
});

test('no header of somebody who is signed on makes a 500', async () => {
  const headers = fc.dictionary(
    fc.constantFrom('accept', 'version', 'filter', 'all-content', 'prefer', 'content-type', 'correlation-id'),
    fc.oneof(
      fc.constantFrom(
        '4',
        '',
        'true',
        'application/json;q=x',
        '*/*;q=0',
        'application/xml;;',
        'a'.repeat(2_000),
      ),
      fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
    ),
  );
  await fc.assert(
    fc.asyncProperty(headers, async (given) => {
      const answer = await server.app.inject({
        url: '/ovirt-engine/api/vms',
        headers: { ...given, authorization: `Bearer ${server.token}` },
      });
      expect([200, 400]).toContain(answer.statusCode);
      expect(answer.headers['correlation-id']).toMatch(/^[0-9A-Za-z_-]{1,100}$/);
    }),
    { numRuns: RUNS },
  );
});

test('no header makes a 500, and none without credentials gets in', async () => {
  const headerText = fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\x20-\x7e]/g, ''));
  const headers = fc.dictionary(
    fc.constantFrom(
      'accept',
      'version',
      'filter',
      'prefer',
      'cookie',
      'authorization',
      'origin',
      'correlation-id',
    ),
    fc.oneof(
      headerText,
      headerText.map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
      fc.constantFrom(
        'Bearer',
        'Bearer ',
        'Basic',
        'Basic =',
        'JSESSIONID=',
        'JSESSIONID=x; JSESSIONID=y',
        '4',
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(headers, async (given) => {
      const answer = await server.app.inject({ method: 'GET', url: '/ovirt-engine/api/vms', headers: given });
      expect(answer.statusCode).toBe(401);
    }),
    { numRuns: RUNS },
  );
});
