/** The guest kit under ifupdown. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'ifupdown',
  title: 'a Debian guest under ifupdown gets the guest kit, moves there and back, and loses the kit again',
  run: (lab) => moveManagedGuest(lab, 'ifupdown', 1),
};
export default scenario;
