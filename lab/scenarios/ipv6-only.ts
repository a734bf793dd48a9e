/** A guest whose only address is one of IPv6: its neighbours learn of every change by unsolicited NA. */
import type { Scenario } from '../runner.ts';
import { moveManagedGuest } from './managed-guest.ts';

const scenario: Scenario = {
  name: 'ipv6-only',
  title:
    'a Debian guest with an IPv6 address alone gets the guest kit, moves there and back, and loses it again',
  isLong: true,
  run: (lab) => moveManagedGuest(lab, { manager: 'networkmanager', rounds: 1, isIpv6Only: true }),
};
export default scenario;
