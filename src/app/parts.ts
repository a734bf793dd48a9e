/** What every use case is built from. Made once, in the daemon. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Hypervisors } from '../hypervisor/port.ts';
import type { Store } from './store-port.ts';

/** The parts of one engine that use cases work with. */
export interface AppParts {
  readonly store: Store;
  readonly hypervisors: Hypervisors;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
