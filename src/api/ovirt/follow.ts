/**
 * `follow=nics.vnic_profile,steps`: puts what a link or a reference points at into the answer itself.
 * Works on any entity: a word names a reference field or a sub-collection's link, underscores do not matter.
 * Words that name nothing here are passed over, since clients ask for what oVirt has and Handover has not
 * (`permissions`).
 */
import type { AnyEntity, EntityType, Field, Link } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';
import type { Document } from './wire/write.ts';

const PATHS_MAX = 20;
const DEPTH_MAX = 4;

/** Reads what a relative href names, as a GET of it would; null if there is nothing there. */
export type Resolve = (href: string) => Promise<Document | null>;

type Tree = Map<string, Tree>;

/** The document with everything `follow` names inside. */
export async function followAll(document: Document, follow: string, resolve: Resolve): Promise<Document> {
  const tree = parseFollow(follow);
  if (tree.size === 0) return document;
  const into = (value: AnyEntity) => followOne(document.type, value, tree, resolve);
  if ('value' in document) return { type: document.type, value: await into(document.value) };
  const values: AnyEntity[] = [];
  // One after another: a request costs its caller time, not everybody the connection pool.
  for (const value of document.values) values.push(await into(value));
  return { type: document.type, values };
}

function parseFollow(follow: string): Tree {
  const root: Tree = new Map();
  const paths = follow.split(',').filter((path) => path.trim() !== '');
  if (paths.length > PATHS_MAX) throw badRequest(`follow names more than ${PATHS_MAX} links`);
  for (const path of paths) {
    const words = path.split('.').map(plain);
    if (words.length > DEPTH_MAX) throw badRequest(`follow goes deeper than ${DEPTH_MAX} links`);
    let at = root;
    for (const word of words) {
      const below: Tree = at.get(word) ?? new Map<string, Tree>();
      at.set(word, below);
      at = below;
    }
  }
  return root;
}

const plain = (word: string): string => word.trim().replaceAll('_', '').toLowerCase();

async function followOne(
  type: EntityType,
  value: AnyEntity,
  tree: Tree,
  resolve: Resolve,
): Promise<AnyEntity> {
  const out: Record<string, unknown> = { ...value };
  for (const [word, below] of tree) {
    const name = Object.keys(type.fields).find((each) => plain(each) === word);
    const field: Field | undefined = name === undefined ? undefined : type.fields[name];
    if (name === undefined || !field) continue;
    const href = field.kind === 'list' ? linkHref(value, word) : hrefOf(value[name]);
    if (href === undefined) continue;
    const found = await resolve(href);
    if (found === null) continue;
    if ('values' in found) {
      const items: AnyEntity[] = [];
      for (const each of found.values) items.push(await followOne(found.type, each, below, resolve));
      out[name] = items;
    } else {
      out[name] = await followOne(found.type, found.value, below, resolve);
    }
  }
  return out;
}

function linkHref(value: AnyEntity, word: string): string | undefined {
  const links = (value['link'] ?? []) as readonly Link[];
  const link = links.find(({ rel }) => plain(rel) === word);
  return link && (link.href ?? `${String(value['href'])}/${link.rel}`);
}

function hrefOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { href } = value as { href?: unknown };
  return typeof href === 'string' ? href : undefined;
}
