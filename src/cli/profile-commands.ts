/** `handover vnic-profile list|create|update|delete`. */
import type { Client } from './client.ts';
import { findOne, listAll } from './find.ts';
import { flagOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, printList, printOne, yesNo } from './output.ts';

interface OvirtProfile {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly network?: Reference;
  readonly failover?: Reference;
  readonly pass_through?: { readonly mode: string };
  readonly migratable?: string;
  readonly port_mirroring?: string;
}

/** Options of create and update. */
export interface ProfileOptions {
  readonly name?: string;
  readonly network?: string;
  readonly passThrough?: boolean;
  readonly migratable?: boolean;
  /** Name or id of the standby profile, `none` to take it away. */
  readonly failover?: string;
  readonly description?: string;
}

const FOLLOW = 'network,failover';

function toView(profile: OvirtProfile) {
  const passThrough = profile.pass_through?.mode === 'enabled';
  return {
    id: profile.id,
    name: profile.name,
    network: profile.network?.name ?? profile.network?.id ?? null,
    passThrough,
    // oVirt says it of passthrough profiles only; others never hold a VM back.
    migratable: passThrough ? flagOf(profile.migratable) : true,
    portMirroring: flagOf(profile.port_mirroring),
    failover: profile.failover?.name ?? profile.failover?.id ?? null,
    description: profile.description ?? null,
  };
}

async function bodyOf(client: Client, options: ProfileOptions): Promise<object> {
  const { name, network, passThrough, migratable, failover, description } = options;
  const idOf = async (collection: 'networks' | 'vnicprofiles', given: string) => ({
    id: (await findOne<Reference & { name: string }>(client, collection, given)).id,
  });
  return {
    ...(name === undefined ? {} : { name }),
    ...(network === undefined ? {} : { network: await idOf('networks', network) }),
    ...(passThrough === undefined ? {} : { pass_through: { mode: passThrough ? 'enabled' : 'disabled' } }),
    ...(migratable === undefined ? {} : { migratable: String(migratable) }),
    ...(failover === undefined
      ? {}
      : { failover: failover === 'none' ? {} : await idOf('vnicprofiles', failover) }),
    ...(description === undefined ? {} : { description }),
  };
}

async function show(client: Client, format: OutputFormat, id: string): Promise<void> {
  const profile = toView(await client.ovirt<OvirtProfile>('GET', `vnicprofiles/${id}?follow=${FOLLOW}`));
  printOne(format, profile, [
    ['name', profile.name],
    ['id', profile.id],
    ['network', profile.network],
    ['passthrough', yesNo(profile.passThrough)],
    ['migratable', yesNo(profile.migratable)],
    ['port mirroring', profile.portMirroring ? 'yes' : null],
    ['standby profile', profile.failover],
    ['description', profile.description],
  ]);
}

/** Prints all vNIC profiles. */
export async function listProfiles(client: Client, format: OutputFormat): Promise<void> {
  const profiles = (await listAll<OvirtProfile>(client, 'vnicprofiles', FOLLOW)).map(toView);
  printList(
    format,
    profiles,
    ['name', 'network', 'passthrough', 'migratable', 'standby', 'description'],
    (each) => [
      each.name,
      each.network ?? '-',
      yesNo(each.passThrough),
      yesNo(each.migratable),
      each.failover ?? '-',
      each.description ?? '',
    ],
    'No vNIC profiles yet. Add one: handover vnic-profile create NAME --network NETWORK --pass-through',
  );
}

/** Adds a vNIC profile. */
export async function createProfile(
  client: Client,
  format: OutputFormat,
  name: string,
  options: ProfileOptions,
): Promise<void> {
  const body = await bodyOf(client, { ...options, name });
  const { id } = await client.ovirt<Reference>('POST', 'vnicprofiles', body);
  await show(client, format, id);
}

/** Changes what the options name. */
export async function updateProfile(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  options: ProfileOptions,
): Promise<void> {
  const { id } = await findOne<OvirtProfile>(client, 'vnicprofiles', nameOrId);
  await client.ovirt('PUT', `vnicprofiles/${id}`, await bodyOf(client, options));
  await show(client, format, id);
}

/** Deletes a vNIC profile. */
export async function deleteProfile(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const { id, name } = await findOne<OvirtProfile>(client, 'vnicprofiles', nameOrId);
  await client.ovirt('DELETE', `vnicprofiles/${id}`);
  printOne(format, { id, name, deleted: true }, [['deleted', name]]);
}
