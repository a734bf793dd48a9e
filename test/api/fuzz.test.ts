/** Whatever is asked, the answer is no 500 and has a form clients can read. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

const RUNS = 400;

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
  fc.constantFrom('search', 'max', 'follow', 'from', 'plan', 'correlation_id', 'migration_target_of', 'x'),
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
