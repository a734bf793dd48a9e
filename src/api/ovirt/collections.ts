/** Every oVirt route there is, in one list: what the server registers and `follow` reads through. */
import { apiRootRoutes } from './api-root.ts';
import { dataCenterRoutes } from './data-centers.ts';
import { eventRoutes } from './events.ts';
import { hostNicRoutes } from './host-nics.ts';
import { hostRoutes } from './hosts.ts';
import { jobRoutes } from './jobs.ts';
import { migrateRoutes } from './migrate.ts';
import { networkRoutes } from './networks.ts';
import { emptyRoutes } from './absent.ts';
import { constantRoutes } from './constants.ts';
import { hostDeviceRoutes } from './host-devices.ts';
import { hostNicVfRoutes } from './host-nic-vfs.ts';
import { networkAttachmentRoutes } from './network-attachments.ts';
import { optionRoutes } from './options.ts';
import { roleRoutes } from './roles.ts';
import type { Route } from './route.ts';
import { userRoutes } from './users.ts';
import { vmListRoutes } from './vm-list.ts';
import { vmNicRoutes } from './vm-nics.ts';
import { vmRoutes } from './vms.ts';
import { vnicProfileRoutes } from './vnic-profiles.ts';

/** All routes below `/ovirt-engine/api`. `now` is the wall clock in ms. */
export const ovirtRoutes = (now: () => number): readonly Route[] => [
  ...apiRootRoutes(now),
  ...dataCenterRoutes,
  ...networkRoutes,
  ...vnicProfileRoutes,
  ...hostRoutes,
  ...hostNicRoutes,
  ...hostNicVfRoutes,
  ...hostDeviceRoutes,
  ...networkAttachmentRoutes,
  ...vmListRoutes,
  ...vmRoutes,
  ...vmNicRoutes,
  ...migrateRoutes,
  ...jobRoutes(now),
  ...eventRoutes,
  ...constantRoutes,
  ...optionRoutes,
  ...emptyRoutes,
  ...userRoutes,
  ...roleRoutes,
];
