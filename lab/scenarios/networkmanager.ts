/** The guest kit under NetworkManager. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'networkmanager',
  title:
    'a Debian guest under NetworkManager gets the guest kit, moves there and back, and loses the kit again',
  run: (lab) => moveManagedGuest(lab, { manager: 'networkmanager', rounds: 1 }),
};
export default scenario;
