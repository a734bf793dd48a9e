/**
 * The guest's own hooks, which the guest kit runs before a VF leaves and after one is back. Their failure is
 * told and changes nothing: whoever wants a say in the migration gives the engine a hook. Called by the
 * steps.
 */
import type { GuestHooks, Hypervisor } from '../hypervisor/port.ts';
import type { MigrationContext } from './port.ts';

/** Runs them and returns what to say of them; nothing where there are none, or none were run before. */
export async function runGuestHooks(
  context: MigrationContext,
  hypervisor: Hypervisor,
  point: GuestHooks['point'],
): Promise<string[]> {
  if (context.data.hadAgent === false) return [];
  // What they do before the VF leaves must be followed by the others even if this process dies meanwhile.
  if (point === 'before-unplug') await context.save({ guestHooked: true });
  else if (context.data.guestHooked !== true) return [];
  const done = await hypervisor.runGuestHooks(context.vmId, point);
  if (done === null || (done.ok && done.said.length === 0)) return [];
  const said = `the guest's ${point} hooks: ${done.said.join(', ') || 'failed'}`;
  if (!done.ok) {
    await context.ports.event(
      { jobId: context.jobId, vmId: context.vmId },
      {
        name: 'HOOK_FAILED',
        severity: 'warning',
        message: `${context.vmName}: ${said}. It stops nothing; see to what they should have done`,
        hostId: hypervisor.endpoint.id,
      },
    );
  }
  return [said];
}
