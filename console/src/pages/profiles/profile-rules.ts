/**
 * The rules of the vNIC profile dialog, which are oVirt's (its VnicProfileModel): what is greyed, why, and
 * what is shown then. Pure; the engine checks all of it again.
 */
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';

/** What was typed and ticked. It is kept while a field is greyed, and shown again when it is not. */
export interface ProfileFields {
  readonly networkId: string;
  readonly name: string;
  readonly description: string;
  readonly passThrough: boolean;
  readonly migratable: boolean;
  /** Empty: none. */
  readonly failoverId: string;
  readonly portMirroring: boolean;
}

/** Of a new profile, or of the one to change. */
export function fieldsOf(profile: ProfileView | null, networkId = ''): ProfileFields {
  return {
    networkId: profile?.networkId ?? networkId,
    name: profile?.name ?? '',
    description: profile?.description ?? '',
    passThrough: profile?.passThrough ?? false,
    migratable: profile?.migratable ?? true,
    failoverId: profile?.failoverId ?? '',
    portMirroring: profile?.portMirroring ?? false,
  };
}

type Values = Pick<ProfileFields, 'passThrough' | 'migratable' | 'failoverId' | 'portMirroring'>;

/** What the dialog shows and sends: a greyed field has the value its rule gives it. */
export function shownValues({ passThrough, migratable, failoverId, portMirroring }: ProfileFields): Values {
  return {
    passThrough,
    migratable: !passThrough || migratable,
    failoverId: passThrough && migratable ? failoverId : '',
    portMirroring: !passThrough && portMirroring,
  };
}

/** Why each field is greyed; null: it is not. */
export type Greyed = Readonly<
  Record<
    'network' | 'qos' | 'networkFilter' | 'passThrough' | 'migratable' | 'failover' | 'portMirroring',
    string | null
  >
>;

/** `profile`: the one that is changed; null: a new one. */
export function greyed(fields: ProfileFields, profile: ProfileView | null): Greyed {
  const { passThrough, migratable } = fields;
  const used = profile === null || profile.vmCount === 0 ? null : usersOf(profile);
  const ofUsed = (what: string): string | null =>
    used === null ? null : `${what} cannot be changed while VMs use the profile: ${used}.`;
  const ofPassThrough = (what: string): string =>
    `${what} cannot be set for a passthrough profile: the traffic of a VF does not pass the host's software.`;
  return {
    network:
      profile === null ? null : 'The network of a profile cannot be changed. Add another profile for it.',
    qos: passThrough ? ofPassThrough('QoS') : 'Handover applies no QoS.',
    networkFilter: passThrough
      ? ofPassThrough('A network filter')
      : 'Handover applies no network filter; libvirt applies what the VM itself names.',
    passThrough: ofUsed('Passthrough'),
    migratable: passThrough
      ? null
      : 'Ordinary vNICs always migrate: libvirt takes them along, and nothing has to be unplugged.',
    failover:
      ofUsed('The failover profile') ??
      (passThrough && migratable
        ? null
        : 'A failover profile is for passthrough profiles that are migratable: turn both on first.'),
    portMirroring: passThrough ? ofPassThrough('Port mirroring') : ofUsed('Port mirroring'),
  };
}

const NAMED_MAX = 5;

/** `web-1, web-2 and 3 more`. */
export function usersOf({ vms, vmCount }: Pick<ProfileView, 'vms' | 'vmCount'>): string {
  const named = vms.slice(0, NAMED_MAX).map(({ name }) => name);
  const more = vmCount - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** What a change of `migratable` means for the VMs of the profile; null: nothing. */
export function consequence(fields: ProfileFields, profile: ProfileView | null): string | null {
  if (profile === null || profile.vmCount === 0 || !fields.passThrough) return null;
  if (fields.migratable === profile.migratable) return null;
  const users = usersOf(profile);
  return fields.migratable
    ? `From now on ${users} may be migrated: the VF is unplugged for the move and a new one plugged on the ` +
        'target.'
    : `From now on ${users} can not be migrated while such a vNIC is plugged. A migration under way is not ` +
        'stopped.';
}

/** Which profiles may be the failover of `profile`. */
export const failoverChoices = (
  all: readonly ProfileView[],
  profile: ProfileView | null,
): readonly ProfileView[] => all.filter((each) => !each.passThrough && each.id !== profile?.id);
