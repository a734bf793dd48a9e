/** The tables of the page on the API say what the routes say. */
import { expect, test } from 'vitest';
import type { Route } from '../src/api/ovirt/route.ts';
import { type ApiFacts, apiTables, strayDifferences, withTables } from './api-page.ts';

const run: Route['run'] = () => Promise.reject(new Error('nobody asks'));
const FACTS: ApiFacts = {
  routes: [
    { method: 'DELETE', path: 'vms/:vmId', needs: 'configure', run },
    { method: 'GET', path: 'vms/:vmId', run },
    { method: 'GET', path: 'vms/:vmId/tags', isEmpty: true, run },
    { method: 'GET', path: 'disks', isEmpty: true, run },
    { method: 'GET', path: 'icons', isEmpty: true, run },
    { method: 'GET', path: 'users', needs: 'see_users', run },
    { method: 'GET', path: 'vms', run },
    { method: 'POST', path: 'vms', needs: 'use_vms', run },
    { method: 'PUT', path: 'vms/:vmId', needs: 'configure', run },
  ],
  differences: { '/vms': 'of `hosts`', '/icons': 'none yet' },
  native: [
    {
      method: 'POST',
      path: 'jobs/:id/cancel',
      needs: 'use_vms',
      name: 'cancelJob',
      summary: 'Cancels it',
      description: 'Or not.',
      query: { soon: {} },
      answer: {},
    },
    { method: 'GET', path: 'about', needs: null, name: 'about', summary: 'What it is', answer: {} },
  ],
};

/** The rows of a table, without its head. */
const rows = (name: string): string[] => (apiTables(FACTS).get(name) ?? '').split('\n').slice(2);

test('a row has verbs with their roles, and the difference; what belongs together is together', () => {
  expect(rows('ovirt')).toEqual([
    '| `/vms` | GET: any; POST: SuperUser, UserVmManager | of `hosts` |',
    '| `/vms/ID` | GET: any; PUT, DELETE: SuperUser | |',
    '| `/icons` | GET: any | none yet |',
    '| `/users` | GET: SuperUser, ReadOnlyAdmin | |',
  ]);
});

test('collections that are always empty are listed together, but for those with something to say', () => {
  expect(rows('empty')).toEqual(['| `/` | `disks` |', '| `/vms/ID` | `tags` |']);
});

test('a native row is what the operation says of itself', () => {
  expect(rows('native')).toEqual([
    '| `/jobs/ID/cancel` | POST: SuperUser, UserVmManager | Cancels it. Or not. In the query: `soon`. |',
    '| `/about` | GET: no sign-on | What it is. |',
  ]);
});

test('a difference of a path that no route has is a mistake', () => {
  expect(strayDifferences(FACTS)).toEqual([]);
  expect(strayDifferences({ ...FACTS, differences: { '/vms/ID/disks': 'gone' } })).toEqual([
    'src/api/ovirt/differences.ts: no route has the path /vms/ID/disks',
  ]);
});

test('tables are put between their marks, and nothing else is touched', () => {
  const page = 'before\n\n<!-- routes: one (made) -->\nold\n<!-- end -->\n\nafter\n';
  const { text, problems } = withTables(page, new Map([['one', '| new |']]));
  expect(text).toBe('before\n\n<!-- routes: one (made) -->\n\n| new |\n\n<!-- end -->\n\nafter\n');
  expect(problems).toEqual([]);
  expect(withTables(text, new Map([['one', '| new |']])).text).toBe(text);
});

test('a table without a place, and a place without a table, are mistakes', () => {
  const page = '<!-- routes: two -->\n<!-- end -->\n';
  expect(withTables(page, new Map([['one', '']])).problems).toEqual([
    'docs/reference/api-coverage.md: there is no table two',
    'docs/reference/api-coverage.md: has no "<!-- routes: one -->" with an "<!-- end -->"',
  ]);
});
