/** The guest kit under systemd-networkd, five times there and back. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'networkd-five',
  title: 'a Debian guest under systemd-networkd with the guest kit moves there and back five times',
  isLong: true,
  run: (lab) => moveManagedGuest(lab, { manager: 'networkd', rounds: 5 }),
};
export default scenario;
