/** The guest kit under systemd-networkd. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'networkd',
  title:
    'a Debian guest under systemd-networkd gets the guest kit, moves there and back, and loses the kit again',
  run: (lab) => moveManagedGuest(lab, 'networkd', 1),
};
export default scenario;
