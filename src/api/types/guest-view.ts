/**
 * The guest's side of a VM, as the native API answers it: schemas, and the types they stand for. Imports no
 * code of the engine but its words.
 */
import { choice, list, object, orNull, type Shape, text, time, uuid } from './schema.ts';

const findingSchema = object(
  {
    code: text('`no_bond`, `standby_down`, `vf_not_active` and others.'),
    level: choice(
      ['ok', 'warning', 'missing', 'unknown'],
      '`missing`: the traffic stops while the VF is away. `unknown`: nobody can tell.',
    ),
    message: text('One sentence.'),
    fix: orNull(text(), 'What to do about it.'),
    vnicId: orNull(uuid(), 'Null: it is about the whole guest.'),
  },
  'Something that was found out about a guest.',
);
/** Something that was found out about a guest. */
export type GuestFindingView = Shape<typeof findingSchema>;

/** The guest's side of a VM. */
export const guestSchema = object(
  {
    vmId: uuid(),
    policy: choice(
      ['ignore', 'warn', 'require'],
      'Where no standby carries the traffic: nothing is said, plan and job warn, or the VM is not moved.',
    ),
    probeAddress: orNull(text(), 'An IP address of the VM that is probed while it is moved.'),
    standby: orNull(
      choice(['ready', 'missing', 'unknown', 'not_needed']),
      'Whether the traffic of every VF has a standby; null: nobody looked yet. `not_needed`: it has no VF.',
    ),
    checkedAt: orNull(time(), 'When somebody looked.'),
    findings: list(findingSchema),
  },
  "The guest's side of a VM: whether its traffic goes on while a VF is away.",
);
export type GuestView = Shape<typeof guestSchema>;
