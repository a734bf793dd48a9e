/**
 * The guest agent as libvirt passes it on: a few commands, JSON in and out, silence from a guest that does
 * not run. Of files it knows those of the kernel that `SimGuest.kernelFile` has.
 */
import type { SimDomain } from './domain.ts';
import type { SimGuest } from './guest.ts';
import type { SimHost } from './host.ts';
import { agentChannel } from './lifecycle.ts';
import { refuse } from './refusal.ts';

/** libvirt's default limit for an answer of the agent, seconds. */
const DEFAULT_TIMEOUT_S = 5;
/** The real agent's. */
const FIRST_HANDLE = 1000;
const DEFAULT_READ_BYTES = 4096;
/** IP address types of virDomainInterfaceAddresses. */
const ADDRESS_TYPE = { ipv4: 0, ipv6: 1 } as const;

/** qemuDomainAgentCommand. `timeoutS` -2 waits for ever, -1 for libvirt's default, 0 not at all. */
export async function agentCommand(
  host: SimHost,
  domain: SimDomain,
  commandJson: string,
  timeoutS: number,
): Promise<string | null> {
  checkAgent(domain);
  const command = commandOf(commandJson);
  const { guest } = domain;
  if (!guest?.running) {
    const waitS = timeoutS < 0 ? DEFAULT_TIMEOUT_S : timeoutS;
    await host.context.clock.sleep(waitS * 1000, host.daemonSignal());
    throw refuse('agent_unresponsive', 'Guest agent not available for now');
  }
  return JSON.stringify({ return: answerOf(guest, command) });
}

/** virDomainInterfaceAddresses from the agent. */
export function guestAddresses(domain: SimDomain): {
  name: string;
  mac: string | null;
  addresses: { type: number; address: string; prefix: number }[];
}[] {
  checkAgent(domain);
  if (!domain.guest?.running) throw refuse('agent_unresponsive', 'Guest agent not available for now');
  return domain.guest.interfaces().map((each) => ({
    name: each.name,
    mac: each['hardware-address'],
    addresses: (each['ip-addresses'] ?? []).map((address) => ({
      type: ADDRESS_TYPE[address['ip-address-type']],
      address: address['ip-address'],
      prefix: address.prefix,
    })),
  }));
}

function checkAgent(domain: SimDomain): void {
  domain.running;
  if (!agentChannel(domain)) throw refuse('argument_unsupported', 'QEMU guest agent is not configured');
  if (!domain.guest?.agentUp) throw refuse('agent_unresponsive', 'QEMU guest agent is not connected');
}

interface Command {
  readonly execute: string;
  readonly args: Readonly<Record<string, unknown>>;
}

function commandOf(json: string): Command {
  try {
    const parsed = JSON.parse(json) as { execute?: unknown; arguments?: Command['args'] };
    if (typeof parsed.execute === 'string') return { execute: parsed.execute, args: parsed.arguments ?? {} };
  } catch {
    // Falls through to the same refusal: libvirt does not tell the two apart either.
  }
  throw refuse('internal', `cannot parse json ${json}`);
}

/** All it knows. */
const COMMANDS: Readonly<Record<string, (guest: SimGuest, args: Command['args']) => unknown>> = {
  'guest-ping': () => ({}),
  'guest-info': (guest) => ({
    version: '10.0.0',
    supported_commands: Object.keys(COMMANDS).map((name) => ({
      name,
      enabled: !guest.agentRefuses.has(name),
      'success-response': true,
    })),
  }),
  'guest-network-get-interfaces': (guest) => guest.interfaces(),
  'guest-file-open'(guest, { path, mode = 'r' }) {
    const content = guest.kernelFile(String(path));
    const failed = `failed to open file '${String(path)}' (mode: '${String(mode)}')`;
    if (content === null) throw failure('guest-file-open', `${failed}: No such file or directory`);
    const handle = Math.max(FIRST_HANDLE - 1, ...guest.agentFiles.keys()) + 1;
    guest.agentFiles.set(handle, Buffer.from(mode === 'r' ? content : ''));
    if (mode === 'w') guest.agentWrites.set(handle, String(path));
    return handle;
  },
  'guest-file-write'(guest, { handle, 'buf-b64': data }) {
    const text = Buffer.from(String(data), 'base64');
    openFile(guest, 'guest-file-write', handle);
    guest.agentFiles.set(Number(handle), text);
    return { count: text.length, eof: false };
  },
  'guest-file-read'(guest, { handle, count = DEFAULT_READ_BYTES }) {
    const rest = openFile(guest, 'guest-file-read', handle);
    const read = rest.subarray(0, Number(count));
    guest.agentFiles.set(Number(handle), rest.subarray(read.length));
    return { count: read.length, 'buf-b64': read.toString('base64'), eof: read.length < Number(count) };
  },
  'guest-file-close'(guest, { handle }) {
    const text = openFile(guest, 'guest-file-close', handle).toString();
    const path = guest.agentWrites.get(Number(handle));
    guest.agentFiles.delete(Number(handle));
    guest.agentWrites.delete(Number(handle));
    if (path !== undefined && !guest.writeKernelFile(path, text))
      throw failure('guest-file-close', 'failed to close handle: Invalid argument');
    return {};
  },
  'guest-exec'(guest, { path, arg = [] }) {
    const command = [String(path), ...(arg as string[])];
    guest.executed.push(command);
    const pid = guest.executed.length;
    const last = command.at(-1) ?? '';
    const counters = command.filter((each) => each.endsWith('/rx_packets'));
    if (counters.length > 0) guest.recordings.set(pid, guest.record(counters));
    else if (command.at(-2) === 'end') guest.recordings.get(Number(last))?.end();
    return { pid };
  },
  'guest-exec-status'(guest, { pid }) {
    const command = guest.executed[Number(pid) - 1];
    const recorded = guest.recordings.get(Number(pid));
    if (recorded?.printed === null) return { exited: false };
    if (recorded) return { exited: true, exitcode: 0, 'out-data': base64(recorded.printed ?? '') };
    if (!command?.[2]?.includes('/usr/sbin/handover-guest')) return { exited: true, exitcode: 0 };
    const { code, words = '', printed = '' } = guest.kit(command.slice(4));
    return { exited: true, exitcode: code, 'err-data': base64(words), 'out-data': base64(printed) };
  },
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function answerOf(guest: SimGuest, { execute, args }: Command): unknown {
  const command = COMMANDS[execute];
  if (!command) throw failure(execute, `The command ${execute} has not been found`);
  if (guest.agentRefuses.has(execute)) throw failure(execute, `Command ${execute} has been disabled`);
  return command(guest, args);
}

function openFile(guest: SimGuest, execute: string, handle: unknown): Buffer {
  const rest = guest.agentFiles.get(Number(handle));
  if (!rest) throw failure(execute, `handle '${String(handle)}' has not been found`);
  return rest;
}

/** An error of the agent's own, as libvirt passes it on. */
const failure = (execute: string, text: string): Error =>
  refuse('agent_command_failed', `unable to execute QEMU agent command '${execute}': ${text}`);
