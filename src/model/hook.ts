/**
 * Hooks of the operator: when they run, what they are told, and what became of one. Their JSON and their
 * words are documented in `docs/operate/hooks.md`.
 */
import type { HostId, Mac, NetworkId, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';

/** When a hook runs, in the order of a migration. */
export const HOOK_POINTS = [
  'before-unplug',
  'after-unplug',
  'before-transfer',
  'after-transfer',
  'before-plug',
  'after-plug',
] as const;
export type HookPoint = (typeof HOOK_POINTS)[number];

/** At these a failure may stop the migration; at the others the guest runs on the target already. */
export const STOPPING_POINTS: readonly HookPoint[] = ['before-unplug', 'after-unplug', 'before-transfer'];

/** What a failure of a hook does to the migration. */
export const ON_FAILURE = ['stop', 'warn'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** A thing, by both its handles. */
export interface Named<Id> {
  readonly id: Id;
  readonly name: string;
}

/** A vNIC as a hook is told of it. */
export interface HookVnic {
  readonly id: VnicId;
  readonly name: string;
  readonly mac: Mac;
  readonly vlan: number | null;
  readonly profileId: VnicProfileId | null;
  readonly networkId: NetworkId | null;
  /** Null for one that was out before the move. */
  readonly sourceVf: PciAddress | null;
  readonly targetVf: PciAddress;
  readonly state: 'plugged' | 'unplugged' | 'unplug_pending' | 'degraded';
}

/** All that a hook is told: the JSON on its standard input, and the body of its request. */
export interface HookInput {
  readonly point: HookPoint;
  readonly jobId: string;
  readonly vm: Named<VmId>;
  readonly source: Named<HostId>;
  readonly target: Named<HostId>;
  /** Where the VM is now. The source at a plug: the migration is being taken back. */
  readonly host: Named<HostId>;
  readonly vnics: readonly HookVnic[];
  /** When what happened so far happened, ISO 8601; null = not yet. */
  readonly times: {
    readonly unplugAsked: string | null;
    readonly transferStarted: string | null;
    readonly resumed: string | null;
    readonly plugAsked: string | null;
  };
}

/** One run of a hook that came to its end, as the job keeps it. */
export interface HookRun {
  readonly name: string;
  readonly point: HookPoint;
  readonly tookMs: number;
  /** How it failed; null = it did not. */
  readonly failure: string | null;
}
