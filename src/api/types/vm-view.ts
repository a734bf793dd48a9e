/**
 * VMs, their vNICs, and where they can move, as the native API answers them: schemas, and the types they
 * stand for. Imports no code of the engine.
 */
import { choice, flag, integer, list, number, object, orNull, type Shape, text, uuid } from './schema.ts';

/** A vNIC. */
export const vnicSchema = object(
  {
    id: uuid(),
    name: text(),
    mac: text(),
    passthrough: flag('On a VF; otherwise an ordinary interface, such as a standby.'),
    model: orNull(text(), '`virtio`; null for a VF.'),
    bridge: orNull(text(), 'The bridge or libvirt network of an ordinary one.'),
    profileId: orNull(uuid()),
    profile: orNull(text(), 'Name of its vNIC profile.'),
    network: orNull(text(), 'Name of the network of its profile.'),
    vlan: orNull(integer(), 'Null: untagged.'),
    plugged: flag('What is wanted.'),
    actual: choice(
      ['plugged', 'unplugged', 'unplug_pending', 'degraded'],
      'What is so. `degraded`: seen not to carry traffic.',
    ),
    vf: orNull(text(), 'PCI address of its VF on the host.'),
    pf: orNull(text(), 'The PF of that VF; null in a list of VMs.'),
    blocker: orNull(text(), 'Why it can never be moved; null: it can.'),
  },
  'A vNIC of a VM.',
);
export type VnicView = Shape<typeof vnicSchema>;

/** A VM. */
export const vmSchema = object(
  {
    id: uuid(),
    name: text(),
    status: choice(['up', 'down', 'paused', 'migrating', 'powering_down', 'unknown', 'not_responding']),
    starting: flag('Its start was asked for and is under way.'),
    hostId: orNull(uuid()),
    host: orNull(text(), 'Name of the host it is on; null: none.'),
    memoryKiB: integer(),
    vcpus: integer(),
    vnics: list(vnicSchema),
    agent: orNull(flag(), "The guest's agent answers; null: not known, as in a list of VMs."),
    staleOn: list(text(), 'Hosts that keep a stale second definition of it.'),
    jobId: orNull(uuid(), 'The live migration of it.'),
  },
  'A VM.',
);
export type VmView = Shape<typeof vmSchema>;

/** A part of the list of VMs. */
export const vmPageSchema = object({
  total: integer('How many there are, on all pages.'),
  vms: list(vmSchema, 'In the order of their names.'),
});
export type VmPage = Shape<typeof vmPageSchema>;

const reasonSchema = object({
  code: text('`no_free_vf`, `profile_not_migratable`, `bridge_missing` and others.'),
  message: text('One sentence a person can act on.'),
});

const assignmentSchema = object({
  vnicId: uuid(),
  vnic: text('Name of the vNIC.'),
  sourceVf: orNull(text()),
  sourcePf: text(),
  targetPf: text(),
  targetVf: text(),
});

/** A host as the target of a migration. */
export const hostVerdictSchema = object(
  {
    hostId: uuid(),
    host: text(),
    fits: flag(),
    reasons: list(reasonSchema, 'Why it does not fit; empty if it does.'),
    warnings: list(reasonSchema),
    assignment: list(assignmentSchema, 'The VF each vNIC would get; complete if it fits.'),
    protocol: choice(['p2p', 'direct'], '`direct`: the hosts cannot reach each other, the engine drives it.'),
    score: number('Lower is better; to be compared within one plan.'),
  },
  'A host as the target of a migration.',
);
export type HostVerdictView = Shape<typeof hostVerdictSchema>;

const expectationSchema = object(
  {
    durationMs: integer('From start to end.'),
    standbyMs: orNull(integer(), 'From giving the VFs back to getting new ones; null: none had a VF.'),
    jobs: integer('So many migrations are behind it.'),
    ofThisVm: flag('They were all of this VM; else of any.'),
  },
  'Medians of migrations that succeeded.',
);

/** Where a VM can move. */
export const planSchema = object(
  {
    vmId: uuid(),
    vm: text(),
    sourceId: orNull(uuid()),
    source: orNull(text()),
    possible: flag('It may move, and some host fits.'),
    chosenId: orNull(uuid(), 'The best host; null if none fits.'),
    refusals: list(reasonSchema, 'Reasons that hold for every host.'),
    warnings: list(reasonSchema),
    hosts: list(hostVerdictSchema),
    expected: orNull(expectationSchema, 'Null: nothing was migrated yet.'),
  },
  'Where a VM can move, with which VFs, and why not elsewhere. Nothing is reserved by asking.',
);
export type PlanView = Shape<typeof planSchema>;

/** Whether a VM can move. */
export const movabilitySchema = object(
  {
    vmId: uuid(),
    vm: text('Its name.'),
    source: orNull(text(), 'Name of the host it is on; null: none.'),
    possible: flag(),
    chosen: orNull(text(), 'Name of the best host.'),
    why: orNull(text(), 'Why it cannot; null if it can.'),
    warnings: list(text()),
  },
  'Whether a VM can move now, in short.',
);
export type MovabilityView = Shape<typeof movabilitySchema>;
