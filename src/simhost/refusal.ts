/**
 * How a simulated libvirt says no: the code, the error domain and the prefix that the real one puts before
 * its text. The numbers are libvirt's public ABI (virterror.h). The server turns a refusal into an error
 * reply.
 */
import { HandoverError } from '../base/errors.ts';

/** Kind of refusal -> libvirt's code and the text before the details. */
const REFUSALS = {
  internal: [1, 'internal error: '],
  no_support: [3, 'this function is not supported by the connection driver: '],
  invalid_argument: [8, 'invalid argument: '],
  operation_failed: [9, 'operation failed: '],
  xml: [27, 'XML error: '],
  xml_malformed: [35, ''],
  system: [38, ''],
  rpc: [39, ''],
  no_domain: [42, 'Domain not found: '],
  no_network: [43, 'Network not found: '],
  no_node_device: [53, 'Node device not found: '],
  operation_invalid: [55, 'Requested operation is not valid: '],
  config_unsupported: [67, 'unsupported configuration: '],
  timeout: [68, 'Timed out during operation: '],
  argument_unsupported: [74, 'argument unsupported: '],
  aborted: [78, 'operation aborted: '],
  no_metadata: [80, 'metadata not found: '],
  agent_unresponsive: [86, 'Guest agent is not responding: '],
  device_missing: [99, 'device not found: '],
  agent_command_failed: [113, 'guest agent command failed: '],
} as const satisfies Record<string, readonly [number, string]>;

export type RefusalKind = keyof typeof REFUSALS;

/** Error domain QEMU (virErrorDomain), the one nearly everything a hypervisor refuses comes from. */
const FROM_QEMU = 10;

/** A refusal with libvirt's code for `kind`; `details` is what follows the prefix. */
export function refuse(kind: RefusalKind, details: string): HandoverError {
  const [code, prefix] = REFUSALS[kind];
  return refuseWithCode(code, `${prefix}${details}`);
}

/** A refusal with any code; for faults that tests inject. */
export function refuseWithCode(libvirtCode: number, message: string): HandoverError {
  return new HandoverError('LIBVIRT_REFUSED', message, { detail: { libvirtCode, libvirtDomain: FROM_QEMU } });
}
