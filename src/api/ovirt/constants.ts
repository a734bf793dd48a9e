/**
 * Collections whose content is the same everywhere: the Blank template every VM refers to, the root tag, the
 * operating system of VMs nobody described, and libvirt's network filters.
 */
import { clusterRef } from './default-cluster.ts';
import { absentLinks, absentRoutes } from './absent.ts';
import { notFound } from './look.ts';
import { many, one, param, type Route } from './route.ts';
import { networkFilters } from './network-filters.ts';
import { networkFilterType, operatingSystemType, tagType, templateType } from './schema/index.ts';
import { BLANK_TEMPLATE_ID, stableId } from './stable-id.ts';
import type { Entity, EntityType } from './wire/fields.ts';

/** Below the Blank template. */
const ABSENT_OF_TEMPLATE = {
  diskattachments: ['disk_attachment', 'disk_attachments'],
  nics: ['nic', 'nics'],
  permissions: ['permission', 'permissions'],
  tags: ['tag', 'tags'],
} as const;
const TEMPLATE_MEMORY_BYTES = 1024 ** 3;
const blankHref = `templates/${BLANK_TEMPLATE_ID}`;
const blank: Entity<typeof templateType> = {
  id: BLANK_TEMPLATE_ID,
  href: blankHref,
  name: 'Blank',
  description: 'Blank template',
  bios: { type: 'cluster_default', boot_menu: { enabled: false } },
  cluster: clusterRef,
  cpu: { architecture: 'x86_64', topology: { cores: 1, sockets: 1, threads: 1 } },
  delete_protected: false,
  display: { type: 'vnc', monitors: 1, smartcard_enabled: false, allow_override: false },
  memory: TEMPLATE_MEMORY_BYTES,
  memory_policy: { guaranteed: TEMPLATE_MEMORY_BYTES, ballooning: false },
  os: { type: 'other' },
  origin: 'external',
  status: 'ok',
  type: 'server',
  version: {
    base_template: { id: BLANK_TEMPLATE_ID, href: blankHref },
    version_name: 'base version',
    version_number: 1,
  },
  link: absentLinks(blankHref, ABSENT_OF_TEMPLATE),
};

const rootTag: Entity<typeof tagType> = {
  id: BLANK_TEMPLATE_ID,
  href: `tags/${BLANK_TEMPLATE_ID}`,
  name: 'root',
  description: 'root',
};

const otherOsId = stableId('operating_system', 'other');
const otherOs: Entity<typeof operatingSystemType> = {
  id: otherOsId,
  href: `operatingsystems/${otherOsId}`,
  name: 'other',
  description: 'Other OS',
  architecture: 'undefined',
};

/** A collection and its entities by id. */
function fixed<T extends EntityType>(
  path: string,
  what: string,
  type: T,
  values: readonly Entity<T>[],
): Route[] {
  return [
    { method: 'GET', path, run: async () => many(type, values) },
    {
      method: 'GET',
      path: `${path}/:id`,
      run: async (call) => {
        const found = values.find((each) => each.id === param(call, 'id'));
        if (!found) throw notFound(what, param(call, 'id'));
        return one(type, found);
      },
    },
  ];
}

/** Routes of `/networkfilters`, `/templates`, `/tags` and `/operatingsystems`. */
export const constantRoutes: readonly Route[] = [
  ...fixed('networkfilters', 'network filter', networkFilterType, networkFilters),
  ...fixed('templates', 'template', templateType, [blank]),
  ...absentRoutes('templates/:id', ABSENT_OF_TEMPLATE, (call) => {
    if (param(call, 'id') !== BLANK_TEMPLATE_ID) throw notFound('template', param(call, 'id'));
  }),
  ...fixed('tags', 'tag', tagType, [rootTag]),
  ...fixed('operatingsystems', 'operating system', operatingSystemType, [otherOs]),
];
