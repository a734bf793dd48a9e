/**
 * Every oVirt v4 entity Handover speaks of, described once, a file per group of resources. Tags, spellings
 * and enum words are oVirt's (api-model 4.5). Fields marked "extension" are Handover's own: oVirt's clients
 * skip elements they do not know. Pure data; the mappers beside this folder fill it, `../wire/` reads and
 * writes it. Everybody outside imports from here.
 */
import type { Entity, EntityType } from '../wire/fields.ts';
import type { actionType } from './action.ts';
import type { faultType } from './api.ts';
import { clusterType, dataCenterType } from './data-center.ts';
import { hostDeviceType, hostNicType, hostType, networkAttachmentType } from './host.ts';
import { eventType, jobType, stepType } from './job.ts';
import { networkLabelType, networkType, vnicProfileType } from './network.ts';
import { networkFilterType, operatingSystemType, tagType, templateType } from './other.ts';
import { nicType, vmType } from './vm.ts';

export * from './action.ts';
export * from './api.ts';
export * from './data-center.ts';
export * from './host.ts';
export * from './job.ts';
export * from './network.ts';
export * from './other.ts';
export * from './vm.ts';

/** By tag, for references that are followed. `user`, `qos`... are only ever referred to. */
export const TYPES: Readonly<Record<string, EntityType>> = Object.fromEntries(
  [
    dataCenterType,
    clusterType,
    hostType,
    hostNicType,
    hostDeviceType,
    networkAttachmentType,
    networkType,
    networkLabelType,
    vnicProfileType,
    vmType,
    nicType,
    stepType,
    jobType,
    eventType,
    networkFilterType,
    operatingSystemType,
    tagType,
    templateType,
  ].map((type) => [type.tag, type]),
);

/** Values of the types that other files name. */
export type Fault = Entity<typeof faultType>;
export type Action = Entity<typeof actionType>;
