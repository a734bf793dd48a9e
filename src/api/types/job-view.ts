/**
 * Jobs, alerts and events as the native API answers them, jobs also as `handover job show --output json`
 * prints them: schemas, and the types they stand for. Imports no code of the engine, so that the CLI and
 * other clients may use them. Durations are numbers in ms; what is not known is null.
 */
import {
  choice,
  flag,
  integer,
  list,
  number,
  object,
  orNull,
  type Shape,
  text,
  time,
  uuid,
} from './schema.ts';

/** A step, or the part of one that belongs to a single vNIC. */
export const stepSchema = object(
  {
    name: text(
      '`reserve`, `preflight`, `disks`, `shift`, `unplug`, `recheck`, `transfer`, `plug`, `verify`, ' +
        '`release`; of a drill `settle` at the end.',
    ),
    vnic: orNull(text(), 'Name of the vNIC for its part of a step; null for the step itself.'),
    state: choice(['started', 'finished', 'failed', 'skipped', 'undone']),
    attempts: integer('How often it was begun.'),
    message: orNull(text(), 'What it did, or why it failed.'),
    startedAt: time(),
    endedAt: orNull(time()),
  },
  'A step of a job, or the part of one that belongs to a single vNIC.',
);

/** A vNIC that moves with its VM. */
export const movingVnicSchema = object(
  {
    name: text(),
    mac: text(),
    sourcePf: text(),
    sourceVf: orNull(text(), 'Null for one that was out before the move.'),
    targetPf: text(),
    targetVf: text(),
    state: choice(['plugged', 'degraded', 'unplugged', 'unplug_pending']),
  },
  'A vNIC that moves with its VM. VFs are PCI addresses on their host.',
);

const progressSchema = object({
  bytesTotal: integer(),
  bytesRemaining: integer(),
  iteration: integer(),
  elapsedMs: integer(),
});

/** A moment of the transfer. */
export const transferSampleSchema = object(
  {
    elapsedMs: integer('Since the transfer began.'),
    bytesRemaining: integer(),
    bytesProcessed: integer('Sent so far.'),
    dirtyBytesPerSecond: integer('Memory the guest wrote; 0 until measured.'),
  },
  'A moment of the transfer.',
);

const momentsSchema = object(
  {
    unplugAskedAt: orNull(time(), 'The guest was asked to give its VFs back.'),
    transferStartedAt: orNull(time(), 'The transfer began.'),
    resumedAt: orNull(time(), 'The guest was seen running on the target.'),
    plugAskedAt: orNull(time(), 'The plug was asked for.'),
    performReturnedAt: orNull(time(), "libvirt's call on the source returned."),
    returnedAt: orNull(time(), 'The traffic was seen to go over the VFs again.'),
  },
  'When it happened.',
);

/** The longest gaps, by the phase in which each began; ms. */
export const networkGapSchema = object({
  unplug: orNull(number()),
  switchover: orNull(number()),
  plug: orNull(number()),
  longest: orNull(number()),
});

/** A network gap of one vNIC, or of the whole VM. */
export const networkGapOfVnicSchema = object(
  {
    vnic: orNull(text(), 'Name of the vNIC; null: the whole VM.'),
    by: choice(['probe', 'guest'], '`probe`: from outside. `guest`: by the counters of its bond.'),
    everyMs: number('It was looked this often: a gap is not known more exactly.'),
    gapMs: orNull(networkGapSchema),
    doubt: orNull(text(), 'Why it is not known; null: it is.'),
  },
  'A network gap as it was measured.',
);

/** A migration or a drill. */
export const jobSchema = object(
  {
    id: uuid(),
    kind: choice(
      ['migrate_vm', 'drill_vm'],
      '`drill_vm`: the VFs leave and come back where the VM is; source and target are its host.',
    ),
    vm: text('Name of the VM.'),
    vmId: uuid(),
    source: text('Name of the host, or its id if it is gone; `target` too.'),
    sourceId: uuid(),
    target: orNull(text(), 'Null while none was chosen.'),
    targetId: orNull(uuid()),
    step: orNull(text(), 'Name of the step it does, waits in or takes back; null: all is done.'),
    state: choice(
      ['queued', 'running', 'undoing', 'succeeded', 'failed', 'cancelled', 'needs_operator'],
      '`needs_operator`: it waits for `retry` or `abandon`, and holds what it has.',
    ),
    ended: flag('Nothing follows: the job will not change any more.'),
    pivoted: flag('The guest runs on the target: from here only forward.'),
    cancelRequested: flag(),
    waitReason: orNull(text(), 'Why a queued job waits, with its place.'),
    protocol: orNull(choice(['p2p', 'direct'])),
    createdAt: time(),
    startedAt: orNull(time()),
    endedAt: orNull(time()),
    steps: list(stepSchema, 'In the order in which they began; empty in a list of jobs.'),
    vnics: list(movingVnicSchema),
    progress: orNull(progressSchema, 'Memory still to be sent, while the transfer runs and after it.'),
    samples: list(
      transferSampleSchema,
      'How the transfer went, oldest first, 120 at most; empty in a list of jobs.',
    ),
    moments: momentsSchema,
    downtimeMs: orNull(number(), 'How long the guest was paused.'),
    networkGapMs: orNull(
      networkGapSchema,
      'Longest interval without a packet, by the phase in which it began; another figure than the downtime.',
    ),
    networkGaps: list(networkGapOfVnicSchema, 'Each as it was measured; empty before the end.'),
    warnings: list(text()),
    leftBehind: list(text(), 'What is left behind, and who will clear it.'),
    error: orNull(
      object({ code: text('As `code` of a fault.'), message: text() }),
      'Why it did not succeed, or what it waits for an operator with.',
    ),
  },
  'A migration, or the rehearsal of one.',
);
export type JobView = Shape<typeof jobSchema>;

/** A standing alert. */
export const alertSchema = object(
  {
    key: text('The same as long as it stands.'),
    message: text(),
    vmId: orNull(uuid()),
    hostId: orNull(uuid()),
    raisedAt: time(),
  },
  'An alert that stands. It goes when its cause does.',
);
export type AlertView = Shape<typeof alertSchema>;

/** Something that happened. */
export const eventSchema = object(
  {
    id: integer('Rises with every event.'),
    code: integer("oVirt's number where it has the event, ours from 20000."),
    severity: choice(['normal', 'warning', 'error', 'alert']),
    time: time(),
    message: text(),
    vmId: orNull(uuid()),
    hostId: orNull(uuid()),
    jobId: orNull(uuid()),
    correlationId: orNull(text(), 'Of the request it came of.'),
  },
  'Something that happened.',
);
export type EventView = Shape<typeof eventSchema>;
