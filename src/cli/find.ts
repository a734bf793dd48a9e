/** Finds a thing by its name or id, as people name it on the command line. */
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { itemsOf } from './ovirt-json.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Collections commands look things up in: oVirt's tag, and the word people use. */
const COLLECTIONS = {
  hosts: { tag: 'host', word: 'host', command: 'host' },
  vms: { tag: 'vm', word: 'VM', command: 'vm' },
  networks: { tag: 'network', word: 'network', command: 'network' },
  vnicprofiles: { tag: 'vnic_profile', word: 'vNIC profile', command: 'vnic-profile' },
} as const;

/** Everything in a collection; `follow` as oVirt's parameter. */
export async function listAll<T>(
  client: Client,
  collection: keyof typeof COLLECTIONS,
  follow = '',
): Promise<T[]> {
  const query = follow === '' ? '' : `?follow=${follow}`;
  const answer = await client.ovirt<Record<string, unknown>>('GET', `${collection}${query}`);
  return itemsOf<T>(answer, COLLECTIONS[collection].tag);
}

/**
 * The one thing with that name, or that id. `CliError` (not found) if there is none, (usage) if several have
 * the name.
 */
export async function findOne<T extends { readonly id: string; readonly name: string }>(
  client: Client,
  collection: keyof typeof COLLECTIONS,
  nameOrId: string,
  follow = '',
): Promise<T> {
  const { tag, word, command } = COLLECTIONS[collection];
  const tail = follow === '' ? '' : `follow=${follow}`;
  if (UUID.test(nameOrId)) {
    return await client.ovirt<T>('GET', `${collection}/${nameOrId.toLowerCase()}?${tail}`);
  }
  const name = nameOrId.replace(/[\\"]/g, '\\$&');
  const search = encodeURIComponent(`name="${name}"`);
  const answer = await client.ovirt<Record<string, unknown>>('GET', `${collection}?search=${search}&${tail}`);
  // The search knows `*` and no case; a name on the command line is meant as it is written.
  const found = itemsOf<T>(answer, tag).filter((each) => each.name === nameOrId);
  const [only] = found;
  if (!only) {
    throw new CliError(
      EXIT.notFound,
      `there is no ${word} ${nameOrId}; "handover ${command} list" shows which there are`,
    );
  }
  if (found.length > 1) {
    const ids = found.map((each) => each.id).join(', ');
    throw new CliError(EXIT.usage, `several are called ${nameOrId}; give the id of one: ${ids}`);
  }
  return only;
}
