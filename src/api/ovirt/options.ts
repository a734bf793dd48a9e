/**
 * `/options/NAME`: the engine's settings that clients look up, above all the VM Portal, which does not start
 * without some of them. Of these only the limits of a VM mean something here: they are QEMU's.
 */
import { HandoverError } from '../../base/errors.ts';
import { many, one, param, type Route } from './route.ts';
import { systemOptionType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

/** What most options are said for; others are for each version of a cluster. */
const GENERAL = 'general';
const CLUSTER_VERSION = '4.7';

const OPTIONS: Readonly<Record<string, { readonly value: string; readonly version: string }>> = {
  AlwaysFilterResultsForWebUi: { value: 'false', version: GENERAL },
  ClientModeConsoleDefault: { value: 'vnc', version: GENERAL },
  ClientModeVncDefault: { value: 'Native', version: GENERAL },
  DefaultGeneralTimeZone: { value: 'Etc/GMT', version: GENERAL },
  DefaultWindowsTimeZone: { value: 'GMT Standard Time', version: GENERAL },
  MaxNumOfCpuPerSocket: { value: '254', version: CLUSTER_VERSION },
  MaxNumOfThreadsPerCpu: { value: '8', version: CLUSTER_VERSION },
  MaxNumOfVmCpus: { value: '{x86=710}', version: CLUSTER_VERSION },
  MaxNumOfVmSockets: { value: '16', version: CLUSTER_VERSION },
  SpiceUsbAutoShare: { value: 'true', version: GENERAL },
  UserSessionTimeOutInterval: { value: '30', version: GENERAL },
  WebSocketProxy: { value: 'Off', version: GENERAL },
};

function toOption(name: string): Entity<typeof systemOptionType> | null {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (!option) return null;
  return { id: stableId('option', name), href: `options/${name}`, name, values: [option] };
}

/** Routes of `/options`. */
export const optionRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'options',
    run: async () =>
      many(
        systemOptionType,
        Object.keys(OPTIONS).flatMap((name) => toOption(name) ?? []),
      ),
  },
  {
    method: 'GET',
    path: 'options/:name',
    run: async (call) => {
      const option = toOption(param(call, 'name'));
      if (option) return one(systemOptionType, option);
      throw new HandoverError(
        'NOT_FOUND',
        `there is no option ${param(call, 'name')}; there are ${Object.keys(OPTIONS).join(', ')}`,
      );
    },
  },
];
