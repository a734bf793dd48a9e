/**
 * Shift: moves traffic to the standby path while the VF still works, so that the unplug interrupts nothing.
 * It needs something in the guest that can be asked; without it the guest's own bond moves the traffic when
 * the VF goes, and the step records that.
 */
import { defineStep, skipped } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';
import { vnicsOf } from '../vnics.ts';

export const shift = defineStep<MigrationContext, null>({
  name: 'shift',
  kind: 'reversible',
  inspect: async () => null,
  async run(context) {
    if (vnicsOf(context).length === 0) return skipped('no VF to shift away from');
    return skipped("the guest's bond moves the traffic when the VF leaves");
  },
});
