/**
 * Query parameters every GET knows: `search`, `case_sensitive`, `max`, `follow`. `all_content` and `filter`
 * are known too, and change nothing: everything is shown, to everybody who may ask. Applied to what a route
 * answered, before it is written. Also turns matrix parameters (`/vms;max=20`) into query parameters, as the
 * engine accepts both.
 */
import { isCode } from '../../base/errors.ts';
import type { AnyEntity, EntityType } from './wire/fields.ts';
import { followAll } from './follow.ts';
import { type Answer, type Call, intQuery, type LongList, type Route } from './route.ts';
import { applySearch, partOf, type SearchOptions } from './search.ts';
import type { Document, Parts, Whole } from './wire/write.ts';

/**
 * The answer's document with `search`, `max` and `follow` of the call applied; of a long list the parts, if
 * what is asked of it can be told part by part. `routes`: all, to follow hrefs through.
 */
export async function applyQuery(
  answer: Answer,
  call: Call,
  routes: readonly Route[],
): Promise<Document | Parts> {
  const { document } = answer;
  const follow = call.query.get('follow') ?? '';
  const followed = (read: Document) =>
    followAll(read, follow, async (href) => await resolve(href, call, routes));
  if ('value' in document) return await followed(document);
  const options = searchOptions(call);
  const search = answer.isSearchable === false ? '' : (call.query.get('search') ?? '');
  if ('parts' in document) {
    const part = partOf(search, options);
    if (part)
      return { type: document.type, parts: followedParts(document.type, document.parts(part), followed) };
  }
  const { type, values } = await readWhole(document);
  return await followed({ type, values: applySearch(search, values, answer.searchFields ?? {}, options) });
}

function searchOptions(call: Call): SearchOptions {
  const max = intQuery(call, 'max');
  return {
    // oVirt: a negative max means all.
    max: max === null || max < 0 ? null : max,
    isCaseSensitive: call.query.get('case_sensitive')?.toLowerCase() !== 'false',
  };
}

async function* followedParts(
  type: EntityType,
  parts: AsyncIterable<readonly AnyEntity[]>,
  followed: (read: Document) => Promise<Document>,
): AsyncGenerator<readonly AnyEntity[]> {
  for await (const values of parts) {
    const part = await followed({ type, values });
    yield 'values' in part ? part.values : [part.value];
  }
}

/** All of a long list; any other document as it is. */
export async function readWhole<D extends Document>(document: D | LongList): Promise<D | Whole> {
  return 'parts' in document ? { type: document.type, values: await document.whole() } : document;
}

/**
 * Answers `href` by the GET route it belongs to. Null where there is no such route, or nothing there any
 * more.
 */
async function resolve(href: string, call: Call, routes: readonly Route[]): Promise<Document | null> {
  for (const route of routes) {
    if (route.method !== 'GET') continue;
    const params = matchPath(route.path, href);
    if (params === null) continue;
    try {
      return await readWhole((await route.run({ ...call, params, query: new URLSearchParams() })).document);
    } catch (thrown) {
      // A reference may outlive its thing: an event names a VM that is gone.
      if (isCode(thrown, 'NOT_FOUND')) return null;
      throw thrown;
    }
  }
  return null;
}

/** Path parameters of `href` if it has the form of `pattern`, else null. */
export function matchPath(pattern: string, href: string): Record<string, string> | null {
  const expected = pattern.split('/');
  const given = href.split('/');
  if (expected.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const piece = given[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(piece);
    else if (part !== piece) return null;
  }
  return params;
}

/** `/vms;max=20/ID;a=b?c=d` as `/vms/ID?c=d&max=20&a=b`. */
export function withoutMatrix(url: string): string {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!path.includes(';')) return url;
  const matrix: string[] = [];
  const plain = path
    .split('/')
    .map((segment) => {
      const [own = '', ...pairs] = segment.split(';');
      matrix.push(...pairs.filter((pair) => pair !== ''));
      return own;
    })
    .join('/');
  const query = [mark < 0 ? '' : url.slice(mark + 1), ...matrix].filter((part) => part !== '').join('&');
  return query === '' ? plain : `${plain}?${query}`;
}
