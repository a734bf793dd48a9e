/**
 * What oVirt has and Handover keeps nothing of, or next to nothing: enough for a client that asks to be
 * answered in the right form.
 */
import { bool, entity, int, list, ref, struct, text } from '../wire/fields.ts';
import { named } from './common.ts';

/** oVirt's `network_filter`. */
export const networkFilterType = entity('network_filter', 'network_filters', { ...named });

/** oVirt's `template`. */
export const templateType = entity('template', 'templates', {
  ...named,
  bios: struct({ type: text, boot_menu: struct({ enabled: bool }) }),
  cluster: ref('cluster'),
  cpu: struct({ architecture: text, topology: struct({ cores: int, sockets: int, threads: int }) }),
  delete_protected: bool,
  display: struct({ type: text, monitors: int, smartcard_enabled: bool, allow_override: bool }),
  memory: int,
  memory_policy: struct({ guaranteed: int, ballooning: bool }),
  os: struct({ type: text }),
  origin: text,
  status: text,
  type: text,
  version: struct({ base_template: ref('template'), version_name: text, version_number: int }),
  nics: list('nic', ref('nic')),
  disk_attachments: list('disk_attachment', ref('disk_attachment')),
  permissions: list('permission', ref('permission')),
});

/** oVirt's `tag`. */
export const tagType = entity('tag', 'tags', { ...named, parent: ref('tag') });

/** oVirt's `operating_system_info`. */
export const operatingSystemType = entity('operating_system', 'operating_systems', {
  ...named,
  architecture: text,
  tpm_support: text,
});

/** oVirt's `system_option`. */
export const systemOptionType = entity('system_option', 'system_options', {
  name: text,
  values: list('system_option_value', struct({ value: text, version: text })),
});

/** A type of which there is never one here: only its tags matter. */
export const absentType = (tag: string, plural: string) => entity(tag, plural, named);
