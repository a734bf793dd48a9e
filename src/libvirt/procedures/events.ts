/**
 * Events: what can be asked for and the message each comes in. A domain event is registered for all domains
 * or for one; the daemon answers with a callback id that every message of that registration carries first.
 *
 * Events belong to one connection: they are lost when it breaks, so state must be read again after
 * registering anew.
 */
import { int, optional, struct } from '../xdr/codec.ts';
import type { Codec } from '../xdr/codec.ts';
import { remote } from './procedure.ts';
import { typedParams } from './typed-params.ts';
import { domain, nodeDevice, nothing, text } from './types.ts';

/** An event one can register for. `Payload` is what a listener gets. */
export interface EventKind<Payload> {
  readonly name: string;
  /** Which registration procedures it belongs to. */
  readonly of: 'domain' | 'nodeDevice';
  /** The id to register with. */
  readonly id: number;
  /** Procedure number of its messages, in the remote program. */
  readonly message: number;
  readonly payload: Codec<Payload & { readonly callbackId: number }>;
}

const callbackId = int;
const aliasPayload = struct({ callbackId, dom: domain, alias: text });

function kind<P extends { readonly callbackId: number }>(
  name: string,
  of: 'domain' | 'nodeDevice',
  id: number,
  message: number,
  payload: Codec<P>,
): EventKind<P> {
  return { name, of, id, message, payload: payload as EventKind<P>['payload'] };
}

/** Events about domains. */
export const DOMAIN_EVENTS = {
  /** `event` is one of `LIFECYCLE_EVENT`, `detail` depends on it. */
  lifecycle: kind(
    'lifecycle',
    'domain',
    0,
    318,
    // The message of libvirt nests the older event without callback id; on the wire that makes no difference.
    struct({ callbackId, dom: domain, event: int, detail: int }),
  ),
  /** The guest gave the device back; only now is it gone. */
  deviceRemoved: kind('deviceRemoved', 'domain', 15, 333, aliasPayload),
  /** `state` 1 connected, 2 disconnected. */
  agentLifecycle: kind(
    'agentLifecycle',
    'domain',
    18,
    348,
    struct({ callbackId, dom: domain, state: int, reason: int }),
  ),
  deviceAdded: kind('deviceAdded', 'domain', 19, 354, aliasPayload),
  migrationIteration: kind(
    'migrationIteration',
    'domain',
    20,
    359,
    struct({ callbackId, dom: domain, iteration: int }),
  ),
  /** The statistics of the job that ended. */
  jobCompleted: kind(
    'jobCompleted',
    'domain',
    21,
    363,
    struct({ callbackId, dom: domain, params: typedParams(64) }),
  ),
  /** The guest refused; never seen with ACPI or PCIe on x86, so a limit of one's own is needed. */
  deviceRemovalFailed: kind('deviceRemovalFailed', 'domain', 22, 367, aliasPayload),
  /** Since 11.2. */
  nicMacChange: kind(
    'nicMacChange',
    'domain',
    27,
    453,
    struct({ callbackId, dom: domain, alias: text, oldMac: text, newMac: text }),
  ),
} as const;

/** Events about the host's devices. */
export const NODE_DEVICE_EVENTS = {
  /** `event` 0 created, 1 deleted (2 and 3: defined, undefined). */
  lifecycle: kind(
    'nodeDeviceLifecycle',
    'nodeDevice',
    0,
    376,
    struct({ callbackId, device: nodeDevice, event: int, detail: int }),
  ),
  /** Something in the device's XML changed, its driver for instance. */
  update: kind('nodeDeviceUpdate', 'nodeDevice', 1, 377, struct({ callbackId, device: nodeDevice })),
} as const;

/** The message of `connectRegisterCloseCallback`; it has no callback id. */
export const CONNECTION_CLOSED = { message: 362, payload: struct({ reason: int }) } as const;

/** How domain events are registered; those of devices are with the device procedures. */
export const eventProcedures = {
  connectDomainEventCallbackRegisterAny: remote(
    316,
    'connect_domain_event_callback_register_any',
    'high',
    struct({ eventId: int, dom: optional(domain) }),
    struct({ callbackId: int }),
  ),
  connectDomainEventCallbackDeregisterAny: remote(
    317,
    'connect_domain_event_callback_deregister_any',
    'high',
    struct({ callbackId: int }),
    nothing,
  ),
};
