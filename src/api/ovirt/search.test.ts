/** oVirt's search language as the clients write it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HandoverError } from '../../base/errors.ts';
import { applySearch, partOf } from './search.ts';

const vms = [
  { name: 'web-1', status: 'up', host: 'a' },
  { name: 'web-2', status: 'down', host: 'b' },
  { name: 'Db 1', status: 'up', host: 'b', description: 'the database' },
];
const fields = { host: (each: Record<string, unknown>) => each['host'] as string };
const search = (text: string, max: number | null = null, isCaseSensitive = true) =>
  applySearch(text, vms, fields, { max, isCaseSensitive }).map((each) => each['name']);

describe('a search', () => {
  test.each([
    ['', ['web-1', 'web-2', 'Db 1']],
    ['name=web-1', ['web-1']],
    ['name = web-1', ['web-1']],
    ['NAME=web-1', ['web-1']],
    ['name=WEB-1', []],
    ['status=Up', ['web-1', 'Db 1']],
    ['name="Db 1"', ['Db 1']],
    ['name="Db*"', ['Db 1']],
    ['name=web*', ['web-1', 'web-2']],
    ['name=*-2', ['web-2']],
    ['name=w*-*1', ['web-1']],
    ['name=web-*-1', []],
    ['name!=web-1', ['web-2', 'Db 1']],
    ['name=web* and status=up', ['web-1']],
    ['name=web* status=up', ['web-1']],
    ['status=down or host=b and status=up', ['web-2', 'Db 1']],
    ['web*', ['web-1', 'web-2']],
    ['*database*', ['Db 1']],
    ['host=b sortby name asc', ['Db 1', 'web-2']],
    ['SORTBY NAME DESC', ['web-2', 'web-1', 'Db 1']],
    ['sortby name page 1', ['Db 1', 'web-1', 'web-2']],
    ['page 2', []],
    ['name=page', []],
  ])('%s', (text, names) => {
    expect(search(text)).toEqual(names);
  });

  test('compares without case if it is asked to', () => {
    expect(search('name=WEB-1', null, false)).toEqual(['web-1']);
    expect(search('db*', null, false)).toEqual(['Db 1']);
    expect(search('db*')).toEqual([]);
  });

  test('shows at most max, which is the page size if a page is asked for', () => {
    expect(search('', 2)).toEqual(['web-1', 'web-2']);
    expect(search('page 2', 2)).toEqual(['Db 1']);
    expect(search('', 0)).toEqual([]);
  });

  test.each([
    'name=',
    '=x',
    'colour=red',
    'name=a or',
    'sortby',
    'sortby colour',
    '"open',
    'name="open',
    'a!b',
  ])('that can not be understood is refused, not empty: %s', (text) => {
    expect(() => search(text)).toThrow(HandoverError);
  });

  test.each([
    ['', null, { named: null, skip: 0, limit: null }],
    ['', 20, { named: null, skip: 0, limit: 20 }],
    ['page 3', 20, { named: null, skip: 40, limit: 20 }],
    ['page 3', null, { named: null, skip: 200, limit: 100 }],
    ['Name="web *"', 20, { named: 'web *', skip: 0, limit: 20 }],
    ['name=web* page 2', 2, { named: 'web*', skip: 2, limit: 2 }],
  ])('that a part of the list answers says which: %s', (text, max, part) => {
    expect(partOf(text, { max, isCaseSensitive: true })).toEqual(part);
  });

  test.each([
    'status=up',
    'web',
    'name!=web-1',
    'name=a or name=b',
    'name=a status=up',
    'sortby name',
    'colour=red',
  ])('that needs the whole list says so: %s', (text) => {
    expect(partOf(text, { max: 20, isCaseSensitive: true })).toBeNull();
  });

  test('without regard to case, or of what no database can hold, needs the whole list', () => {
    expect(partOf('name=a', { max: null, isCaseSensitive: false })).toBeNull();
    expect(partOf('name="\0"', { max: null, isCaseSensitive: true })).toBeNull();
  });

  test('of any text is answered or refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          search(text);
        } catch (thrown) {
          expect((thrown as HandoverError).code).toBe('INVALID_INPUT');
        }
      }),
    );
  });
});
