/** What a simulated host tells those who listen; the server turns it into libvirt's event messages. */
import type { TypedParam } from '../libvirt/procedures/typed-params.ts';
import type { DomainRef } from './domain.ts';

/** One event; the names are those of libvirt's event table. */
export type SimEvent =
  | { readonly type: 'lifecycle'; readonly dom: DomainRef; readonly event: number; readonly detail: number }
  | {
      readonly type: 'deviceRemoved' | 'deviceAdded' | 'deviceRemovalFailed';
      readonly dom: DomainRef;
      readonly alias: string;
    }
  | {
      readonly type: 'agentLifecycle';
      readonly dom: DomainRef;
      readonly state: number;
      readonly reason: number;
    }
  | { readonly type: 'migrationIteration'; readonly dom: DomainRef; readonly iteration: number }
  /** The guest restarted; its QEMU is the same. */
  | { readonly type: 'reboot'; readonly dom: DomainRef }
  | { readonly type: 'jobCompleted'; readonly dom: DomainRef; readonly params: readonly TypedParam[] }
  /** `event` 0 created, 1 deleted. */
  | { readonly type: 'nodeDevice'; readonly name: string; readonly event: number }
  | { readonly type: 'nodeDeviceUpdate'; readonly name: string };

/** Lifecycle events by name: [event, detail] of virDomainEventType. */
export const LIFECYCLE = {
  defined: [0, 0],
  redefined: [0, 1],
  undefined: [1, 0],
  started: [2, 0],
  startedMigrated: [2, 1],
  suspended: [3, 0],
  suspendedMigrated: [3, 1],
  resumed: [4, 0],
  resumedMigrated: [4, 1],
  stoppedShutdown: [5, 0],
  stoppedDestroyed: [5, 1],
  stoppedCrashed: [5, 2],
  stoppedMigrated: [5, 3],
  stoppedFailed: [5, 5],
  shutdownFinished: [6, 0],
  shutdownGuest: [6, 1],
  crashed: [8, 0],
} as const satisfies Record<string, readonly [event: number, detail: number]>;
