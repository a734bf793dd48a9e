/**
 * oVirt's search language, as far as clients use it: `name=web* and status=up SORTBY name DESC page 2`.
 * Conditions are joined by `and` (binds tighter) and `or`; values may be quoted and hold `*`. As in oVirt,
 * case counts unless the request says otherwise; in words of closed lists it never does. What can not be
 * understood is `INVALID_INPUT`, never an empty result.
 */
import type { AnyEntity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

/** Extra searchable fields of a collection, by lower-case name. */
export type SearchFields = Readonly<Record<string, (entity: AnyEntity) => SearchValue>>;
type SearchValue = string | number | null | undefined;

interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly value: string;
}

interface Search {
  /** Alternatives of conditions that must all hold. No alternative: everything matches. */
  readonly anyOf: readonly (readonly Condition[])[];
  readonly sortBy: { readonly field: string; readonly descending: boolean } | null;
  /** From 1; null = not asked for. */
  readonly page: number | null;
}

/** A part of a collection, as a store can tell it without reading all of it. Null: no limit. */
export interface ListPart {
  /** Only what has this name; a `*` in it is any text. Case counts. */
  readonly named: string | null;
  readonly skip: number;
  readonly limit: number | null;
}

/** What limits a list beside the search text. `max`: null = all. */
export interface SearchOptions {
  readonly max: number | null;
  readonly isCaseSensitive: boolean;
}

const PAGE_SIZE = 100;
const SEARCH_LENGTH_MAX = 4_000;
const TOKEN = /\s*("(?:[^"\\]|\\.)*"|!=|<=|>=|=|<|>|[^\s=<>!"]+)/y;
/** A word that stands alone is looked for in names and descriptions. */
const ANY_FIELD = '';
/** Words of closed lists, ids and addresses: written in any case. */
const WITHOUT_CASE = ['id', 'status', 'severity', 'address'];
const OPERATORS = ['=', '!=', '<', '>', '<=', '>='];

/**
 * The part of a collection, in its own order, that a search text asks for; null if the whole has to be looked
 * at. Finds what `applySearch` would.
 */
export function partOf(text: string, { max, isCaseSensitive }: SearchOptions): ListPart | null {
  const { anyOf, sortBy, page } = parseSearch(text);
  const [condition, ...others] = anyOf.flat();
  if (sortBy || others.length > 0) return null;
  const named = condition?.value ?? null;
  if (condition && (condition.field !== 'name' || condition.operator !== '=' || !isCaseSensitive))
    return null;
  // No database can be asked for this character.
  if (named?.includes('\0')) return null;
  if (page === null) return { named, skip: 0, limit: max };
  const size = max ?? PAGE_SIZE;
  return { named, skip: Math.min((page - 1) * size, Number.MAX_SAFE_INTEGER), limit: size };
}

/**
 * Applies a search text to a collection. `max` limits the answer, or is the page size if the text asks for a
 * page.
 */
export function applySearch(
  text: string,
  entities: readonly AnyEntity[],
  fields: SearchFields,
  { max, isCaseSensitive }: SearchOptions,
): readonly AnyEntity[] {
  const search = parseSearch(text);
  const matching =
    search.anyOf.length === 0
      ? [...entities]
      : entities.filter((entity) =>
          search.anyOf.some((all) => all.every((each) => matches(entity, each, fields, isCaseSensitive))),
        );
  // The fields are checked even if there is nothing to compare, so a misspelt one is told from "none found".
  for (const { field } of search.anyOf.flat()) {
    if (field !== ANY_FIELD) valueOf({}, field, fields);
  }
  const { sortBy, page } = search;
  if (sortBy) {
    valueOf({}, sortBy.field, fields);
    const direction = sortBy.descending ? -1 : 1;
    matching.sort(
      (a, b) => direction * compare(valueOf(a, sortBy.field, fields), valueOf(b, sortBy.field, fields)),
    );
  }
  if (page !== null) {
    const size = max ?? PAGE_SIZE;
    return matching.slice((page - 1) * size, page * size);
  }
  return max === null ? matching : matching.slice(0, max);
}

function parseSearch(text: string): Search {
  const words = tokens(text);
  const anyOf: Condition[][] = [];
  let all: Condition[] = [];
  let sortBy: Search['sortBy'] = null;
  let page: number | null = null;
  let at = 0;
  const next = (what: string): string => {
    const word = words[at];
    if (word === undefined) throw malformed(text, `${what} is missing at its end`);
    at += 1;
    return word;
  };
  while (at < words.length) {
    const word = next('a word');
    const lower = word.toLowerCase();
    if (lower === 'page' && /^[1-9]\d{0,8}$/.test(words[at] ?? '')) {
      page = Number(next('the page'));
    } else if (lower === 'sortby') {
      const field = next('the field to sort by').toLowerCase();
      const order = words[at]?.toLowerCase();
      if (order === 'asc' || order === 'desc') at += 1;
      sortBy = { field, descending: order === 'desc' };
    } else if (lower === 'and' && all.length > 0) {
      // Conditions that stand side by side belong together anyway.
    } else if (lower === 'or' && all.length > 0) {
      anyOf.push(all);
      all = [];
    } else if (OPERATORS.includes(words[at] ?? '')) {
      all.push({ field: lower, operator: next('an operator'), value: unquote(next('a value')) });
    } else if (OPERATORS.includes(word)) {
      throw malformed(text, `${word} has no field before it`);
    } else {
      all.push({ field: ANY_FIELD, operator: '=', value: unquote(word) });
    }
  }
  if (all.length > 0) anyOf.push(all);
  else if (anyOf.length > 0) throw malformed(text, 'nothing follows "or"');
  return { anyOf, sortBy, page };
}

function tokens(text: string): string[] {
  if (text.length > SEARCH_LENGTH_MAX)
    throw badRequest(`search is longer than ${SEARCH_LENGTH_MAX} characters`);
  const found: string[] = [];
  const trimmed = text.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match?.[1]) throw malformed(text, `"${trimmed.slice(from, from + 20)}" can not be read`);
    found.push(match[1]);
  }
  return found;
}

const unquote = (word: string): string =>
  word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;

const malformed = (text: string, why: string) =>
  badRequest(`the search ${JSON.stringify(text)} is malformed: ${why}`);

function matches(
  entity: AnyEntity,
  condition: Condition,
  fields: SearchFields,
  isCaseSensitive: boolean,
): boolean {
  const { field } = condition;
  if (field === ANY_FIELD) {
    return ['name', 'description', 'comment'].some((name) =>
      test(entity[name] as SearchValue, condition, isCaseSensitive),
    );
  }
  return test(valueOf(entity, field, fields), condition, isCaseSensitive && !WITHOUT_CASE.includes(field));
}

function test(value: SearchValue, condition: Condition, isCaseSensitive: boolean): boolean {
  const isEqual = matchesPattern(value, condition.value, isCaseSensitive);
  if (condition.operator === '=') return isEqual;
  if (condition.operator === '!=') return !isEqual;
  if (value === null || value === undefined) return false;
  const order = compare(value, condition.value);
  if (condition.operator === '<') return order < 0;
  if (condition.operator === '>') return order > 0;
  return condition.operator === '<=' ? order <= 0 : order >= 0;
}

/** Linear in both lengths for one `*`; each further piece is searched once, so no pattern makes it slow. */
function matchesPattern(value: SearchValue, pattern: string, isCaseSensitive: boolean): boolean {
  const cased = (text: string) => (isCaseSensitive ? text : text.toLowerCase());
  const text = value === null || value === undefined ? '' : cased(String(value));
  const pieces = cased(pattern).split('*');
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

function compare(a: SearchValue, b: SearchValue): number {
  const [left, right] = [a, b].map((each) => String(each ?? '').toLowerCase()) as [string, string];
  const [leftNumber, rightNumber] = [Number(left), Number(right)];
  if (left !== '' && right !== '' && Number.isFinite(leftNumber) && Number.isFinite(rightNumber)) {
    return leftNumber - rightNumber;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

const COMMON: SearchFields = Object.fromEntries(
  ['id', 'name', 'description', 'comment', 'status'].map((name) => [
    name,
    (entity: AnyEntity) => entity[name] as SearchValue,
  ]),
);

/** The field's value; `Vms.name` on VMs is `name`, unless the collection knows the whole of it. */
function valueOf(entity: AnyEntity, field: string, fields: SearchFields): SearchValue {
  const known = { ...COMMON, ...fields };
  const own = Object.hasOwn(known, field) ? known[field] : undefined;
  if (own) return own(entity);
  throw badRequest(
    `the search names the unknown field ${field}; known here: ${Object.keys(known).join(', ')}`,
  );
}
