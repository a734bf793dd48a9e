/**
 * Mistakes planted in the product or its store, each of which a campaign must find. They are the ones that
 * lose VFs and vNICs in the field.
 */
import { until } from '../../src/base/clock.ts';
import type { MigrationSaga } from '../../src/migration/migrate-vm.ts';
import type { PlantedInStore } from '../support/memory-store/tables.ts';

export const PLANTED = [
  'forgets_release',
  'releases_of_others',
  'gives_twice',
  'drops_desired',
  'plugs_before_resume',
] as const satisfies readonly (PlantedInStore | 'plugs_before_resume')[];
/** One of them. */
export type Planted = (typeof PLANTED)[number];

/** The plug does not wait for the guest to run on the target, only for its domain to be there. */
export function plugsBeforeResume(saga: MigrationSaga): MigrationSaga {
  const plug = saga.steps.find((step) => step.name === 'plug');
  return {
    ...saga,
    steps: saga.steps.map((step) => {
      if (step.name !== 'transfer' || !plug) return step;
      return {
        ...step,
        async run(context) {
          const { hypervisor } = await context.target();
          const arrives = async () => (await hypervisor.inspect(context.vmId)) ?? undefined;
          const early = until(context.clock, 'arrival', { limitMs: 5_000, everyMs: 50 }, arrives)
            .then(() => plug.run(context))
            .catch(() => undefined);
          const result = await step.run(context);
          await early;
          return result;
        },
      };
    }),
  };
}
