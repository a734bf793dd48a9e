/** The guest kit under NetworkManager, five times there and back. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'networkmanager-five',
  title: 'a Debian guest under NetworkManager with the guest kit moves there and back five times',
  isLong: true,
  run: (lab) => moveManagedGuest(lab, { manager: 'networkmanager', rounds: 5 }),
};
export default scenario;
