/** The documented routes are the routes there are. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_STREAM } from '../../src/api/native/event-stream.ts';
import { nativeRoutes } from '../../src/api/native/routes.ts';
import { ovirtRoutes } from '../../src/api/ovirt/collections.ts';
import { emptyWorld, memoryUseCases } from '../support/memory-use-cases.ts';

/** The table below a heading as `VERB path`, sorted. */
function documented(heading: string): string[] {
  const page = readFileSync(new URL('../../docs/reference/api-coverage.md', import.meta.url), 'utf8');
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `\/([^`]*)` \| ([A-Z ]+) \|/gm)]
    .flatMap((row) => (row[2] ?? '').split(' ').map((verb) => `${verb} ${row[1]}`))
    .sort();
}

const plain = (routes: readonly { readonly method: string; readonly path: string }[]): string[] =>
  routes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, 'ID')}`).sort();

test("every route of oVirt's API is documented, and every documented one is there", () => {
  expect(documented("oVirt's resources")).toEqual(plain(ovirtRoutes(() => 0)));
});

test('every native route is documented, and every documented one is there', () => {
  const routes = [...nativeRoutes(memoryUseCases(emptyWorld())), EVENT_STREAM];
  expect(documented('The native API')).toEqual(plain(routes));
});
