/**
 * The guest's side of a VM, as the native API answers it: schemas, and the types they stand for. Imports no
 * code of the engine but its words.
 */
import { networkGapOfVnicSchema, networkGapSchema } from './job-view.ts';
import { choice, flag, list, number, object, orNull, type Shape, text, time, uuid } from './schema.ts';

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

/** What a drill found. */
export const drillSchema = object(
  {
    jobId: uuid('With every step: `GET /api/jobs/ID`.'),
    startedAt: time(),
    endedAt: time(),
    ok: flag('Everything is as it was before, the traffic over the VFs.'),
    reason: orNull(text(), 'Why not.'),
    durationsMs: object(
      {
        shift: orNull(number()),
        unplug: orNull(number()),
        plug: orNull(number()),
        return: orNull(number(), 'From the plug until the traffic was seen to go over the VFs again.'),
      },
      'How long each part took; null: it was not done, or nobody could see it.',
    ),
    networkGapMs: orNull(
      networkGapSchema,
      'Longest interval without a packet: `unplug` until the plug, `plug` after it. There is no switchover.',
    ),
    networkGaps: list(networkGapOfVnicSchema, 'Each as it was measured.'),
    doubts: list(text(), 'What could not be known, and why.'),
  },
  'A rehearsal of what a migration does to the network of a VM.',
);
/** What a drill found. */
export type DrillView = Shape<typeof drillSchema>;

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
    lastDrill: orNull(drillSchema, 'Null: there was none.'),
  },
  "The guest's side of a VM: whether its traffic goes on while a VF is away.",
);
export type GuestView = Shape<typeof guestSchema>;
