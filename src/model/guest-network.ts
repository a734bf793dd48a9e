/**
 * What a guest shows of its network through its agent: bonds and their legs. The guest is not trusted; who
 * reads it cuts and cleans what it says. Pure data.
 */
import type { Mac } from '../base/ids.ts';

/** One interface in a bond. */
export interface GuestLeg {
  readonly name: string;
  /** Its own; while it is in the bond it may show another. */
  readonly mac: Mac | null;
  /** Kernel driver (`virtio_net`, `iavf`); null = it has no device, or it was not told. */
  readonly driver: string | null;
  /** It sits on a PCI function of its own, as a VF does and a virtio interface does not; null = not told. */
  readonly onPciFunction: boolean | null;
  /** The bond takes it for usable. */
  readonly up: boolean;
  /** Received by the leg itself; null = not told. */
  readonly rxPackets: number | null;
}

/** One bond, as the kernel describes it. */
export interface GuestBond {
  readonly name: string;
  /** Only one leg carries traffic (`active-backup`). */
  readonly activeBackup: boolean;
  /** Names of legs; null = none. */
  readonly active: string | null;
  readonly primary: string | null;
  /** How often it looks at the links of its legs (miimon), ms; 0 = never. */
  readonly miimonMs: number;
  /** How long a leg has had a link before it is used (updelay), ms. */
  readonly upDelayMs: number;
  readonly legs: readonly GuestLeg[];
}

/** One interface as the agent lists it, whatever its configuration allows. */
export interface GuestInterface {
  readonly name: string;
  readonly mac: Mac | null;
  readonly hasAddress: boolean;
  /** Told of interfaces with an address only. */
  readonly rxPackets: number | null;
}

/** The network of a guest whose agent answers. */
export interface GuestNetwork {
  readonly interfaces: readonly GuestInterface[];
  /** null = the agent may not read files (RHEL's default): unknown, not none. */
  readonly bonds: readonly GuestBond[] | null;
  /** The agent may run commands. */
  readonly mayRun: boolean;
  /** What would fight over the legs, as the guest kit says; null = there is no kit to ask. */
  readonly conflicts: readonly string[] | null;
}
