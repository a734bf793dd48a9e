/**
 * The guest's side of a VM: whether its traffic has somewhere to go while a VF is away, and what its owner
 * wants where it has not. Pure data.
 */
import type { VmId, VnicId } from '../base/ids.ts';

/**
 * Where no standby carries the traffic: say nothing, warn in plan, job and event, or refuse to move the VM.
 * What is unknown is never missing.
 */
export const STANDBY_POLICIES = ['ignore', 'warn', 'require'] as const;
export type StandbyPolicy = (typeof STANDBY_POLICIES)[number];

/** Whether the traffic of every VF has a standby. `not_needed`: the VM has no VF. */
export const STANDBY_STATES = ['ready', 'missing', 'unknown', 'not_needed'] as const;
export type StandbyState = (typeof STANDBY_STATES)[number];

/** How a finding is meant. `warning`: it works, but not as it should. `unknown`: nobody can tell. */
export const FINDING_LEVELS = ['ok', 'warning', 'missing', 'unknown'] as const;
export type FindingLevel = (typeof FINDING_LEVELS)[number];

/** One thing that was found out. */
export interface GuestFinding {
  /** `no_bond`, `standby_down`, `vf_not_active`... */
  readonly code: string;
  readonly level: FindingLevel;
  readonly message: string;
  /** What to do about it; null = nothing needs to be done, or can be. */
  readonly fix: string | null;
  /** null = it is about the whole guest. */
  readonly vnicId: VnicId | null;
}

/**
 * How long a leg of a bond should have had a link before it is used (updelay), ms: one that is used at once
 * cannot be announced at once, because the kernel still works on its link, for a second at most (linkwatch).
 * What is sent to the guest until then is lost.
 */
export const UP_DELAY_MS = 1_000;

/** A VF and its standby in one bond. */
export interface BondedPair {
  readonly vnicId: VnicId;
  readonly bond: string;
  /** Names of the legs in the guest. */
  readonly vf: string;
  readonly standby: string;
}

/** What a look at a guest found. */
export interface GuestReadiness {
  /** Wall clock ms. */
  readonly checkedAt: number;
  readonly standby: StandbyState;
  /** Only those whose standby works. */
  readonly pairs: readonly BondedPair[];
  readonly findings: readonly GuestFinding[];
}

/** What is kept of the guest's side of a VM. */
export interface GuestRecord {
  readonly vmId: VmId;
  readonly standby: StandbyPolicy;
  /** An IP address of the VM that is probed while it is moved; null = none. */
  readonly probeAddress: string | null;
  /** null = nobody looked yet. */
  readonly readiness: GuestReadiness | null;
}

/** Of a VM whose owner said nothing and whose guest nobody looked at. */
export const untoldGuest = (vmId: VmId): GuestRecord => ({
  vmId,
  standby: 'warn',
  probeAddress: null,
  readiness: null,
});
