/** What the parts of the wire suite share: a domain that costs nothing, watching events, failures. */
import { systemRandom } from '../../src/base/random.ts';
import {
  type Domain,
  type EventKind,
  type LibvirtClient,
  procedures,
  type Subscription,
} from '../../src/libvirt/index.ts';

/** Longest wait for something a quiet machine does within two seconds; machines are shared. */
export const PATIENCE_MS = 60_000;

/** XML of a domain without disks and without an operating system: it stays in its firmware. */
export function tinyDomain(name: string, memoryMiB = 32, uuid: string = systemRandom.uuid()): string {
  return `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>${memoryMiB}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact'><model>qemu64</model></cpu>
  <devices>
    <controller type='usb' model='qemu-xhci'/>
    <memballoon model='none'/>
  </devices>
</domain>`;
}

/** Events of one kind since `watch`, and waiting for one that fits. */
export interface Watch<Payload> {
  readonly seen: readonly Payload[];
  /** The first event that fits, also one that came before; undefined if none has come. */
  readonly find: (fits: (event: Payload) => boolean) => Payload | undefined;
  readonly subscription: Subscription;
}

/** Registers for an event of one domain or of all and keeps what comes. */
export async function watch<Payload>(
  client: LibvirtClient,
  kind: EventKind<Payload>,
  of: Domain | null = null,
): Promise<Watch<Payload>> {
  const seen: Payload[] = [];
  const subscription = await client.on(kind, of, (event) => seen.push(event));
  return { seen, find: (fits) => seen.find(fits), subscription };
}

/** What the promise rejected with; undefined if it did not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Destroys and undefines the domain where it still is; for the end of a test. */
export async function removeDomain(client: LibvirtClient, uuid: string): Promise<void> {
  const found = await client.call(procedures.domainLookupByUuid, { uuid }).catch(() => null);
  if (found === null) return;
  await client.call(procedures.domainDestroyFlags, { dom: found.dom, flags: 0 }).catch(() => {});
  await client.call(procedures.domainUndefineFlags, { dom: found.dom, flags: 0 }).catch(() => {});
}
