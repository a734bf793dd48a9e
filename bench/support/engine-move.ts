/** Moves by Handover on the lab, with an engine for as long as they take. Callers: benches. */
import type { Guest } from '../../lab/guest.ts';
import type { Lab } from '../../lab/lab.ts';
import { engineName, MIGRATION_LIMIT_MS, startLabEngine, waitForVm } from '../../lab/scenarios/support.ts';
import type { HostLetter } from '../../lab/topology.ts';

/**
 * Runs `body` with what moves `guest` to a host; that throws what the job says if it does not succeed. The
 * engine is stopped whatever happens.
 */
export async function withHandover<T>(
  lab: Lab,
  guest: Guest,
  body: (move: (to: HostLetter) => Promise<void>) => Promise<T>,
): Promise<T> {
  const engine = await startLabEngine(lab);
  try {
    await waitForVm(engine.api, guest);
    return await body(async (to) => {
      const id = await engine.api.migrate(guest.place.name, engineName(to));
      const { state, error } = await engine.api.ended(id, MIGRATION_LIMIT_MS);
      if (state !== 'succeeded') throw new Error(`the job ${state}: ${error?.message}`);
    });
  } finally {
    await engine.stop();
  }
}
