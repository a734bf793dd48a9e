/**
 * A domain (libvirt's object for a VM on one host) as the native API shows it within a host: schemas. Imports
 * no code of the engine.
 */
import { choice, flag, integer, list, object, orNull, text, uuid } from './schema.ts';

/** An interface of a domain. */
export const domainInterfaceSchema = object(
  {
    kind: choice(
      ['hostdev', 'hostdev_pool', 'bridge', 'network', 'other'],
      '`hostdev`: a VF named by its address; `hostdev_pool`: one that libvirt took from a pool.',
    ),
    alias: orNull(text()),
    mac: text(),
    managed: flag("libvirt binds and unbinds the VF's driver itself."),
    vf: orNull(text(), 'PCI address; null for other kinds, and for a pool while the domain is down.'),
    network: orNull(text(), 'Name of the libvirt network.'),
    bridge: orNull(text()),
    vlan: orNull(integer(), 'Null: untagged.'),
    guestAddress: orNull(text(), 'PCI address in the guest, if one is written.'),
    model: orNull(text()),
    traitsXml: text('`<driver>`, `<rom>`, `<boot>` and `<acpi>`, as written; empty: none.'),
    driver: orNull(text()),
    teaming: orNull(choice(['persistent', 'transient'])),
    profile: orNull(text(), "vNIC profile named in the domain's metadata."),
  },
  'An `<interface>` of a domain.',
);

/** A disk of a domain. */
export const domainDiskSchema = object(
  {
    target: text('`vda`.'),
    source: orNull(text(), 'Path, or the name of a network disk; null: an empty drive.'),
    kind: choice(['file', 'block', 'network', 'other']),
    format: orNull(text()),
    device: choice(['disk', 'cdrom', 'floppy', 'lun']),
    readonly: flag(),
    shareable: flag(),
    cache: orNull(text(), 'Null: as the hypervisor chooses.'),
  },
  'A `<disk>` of a domain.',
);

/** A domain on one host. */
export const domainSchema = object(
  {
    uuid: uuid('The id of its VM.'),
    name: text(),
    state: choice([
      'no_state',
      'running',
      'blocked',
      'paused',
      'shutdown',
      'shut_off',
      'crashed',
      'pm_suspended',
    ]),
    stateReason: text("libvirt's reason for the state."),
    persistent: flag(),
    autostart: flag(),
    memoryKiB: integer(),
    vcpus: integer(),
    arch: text(),
    machine: text(),
    numaNodes: list(integer(), 'Those it is bound to; empty: anywhere.'),
    interfaces: list(domainInterfaceSchema, 'As it runs; of a domain that is down, as defined.'),
    configInterfaces: list(domainInterfaceSchema, 'As defined; empty for a transient domain.'),
    hostdevs: list(text(), 'PCI devices of the host that are no interfaces.'),
    configHostdevs: list(text(), 'The same, as defined.'),
    disks: list(domainDiskSchema),
    freePciePorts: orNull(integer(), 'Root ports nothing sits in; null: not limited.'),
    agentConnected: flag("The guest's agent answers."),
  },
  "libvirt's object for a VM on one host.",
);
