/** The guest kit under ifupdown, five times there and back. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'ifupdown-five',
  title: 'a Debian guest under ifupdown with the guest kit moves there and back five times',
  isLong: true,
  run: (lab) => moveManagedGuest(lab, { manager: 'ifupdown', rounds: 5 }),
};
export default scenario;
