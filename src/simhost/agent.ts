/**
 * The guest agent as libvirt passes it on: a few commands, JSON in and out, silence from a guest that does
 * not run.
 */
import type { SimDomain } from './domain.ts';
import type { SimHost } from './host.ts';
import { agentChannel } from './lifecycle.ts';
import { refuse } from './refusal.ts';

/** libvirt's default limit for an answer of the agent, seconds. */
const DEFAULT_TIMEOUT_S = 5;
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
  if (!domain.guest?.running) {
    const waitS = timeoutS < 0 ? DEFAULT_TIMEOUT_S : timeoutS;
    await host.context.clock.sleep(waitS * 1000, host.daemonSignal());
    throw refuse('agent_unresponsive', 'Guest agent not available for now');
  }
  const answer = answerOf(domain, command);
  return JSON.stringify({ return: answer });
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

function commandOf(json: string): string {
  try {
    const parsed = JSON.parse(json) as { execute?: unknown };
    if (typeof parsed.execute === 'string') return parsed.execute;
  } catch {
    // Falls through to the same refusal: libvirt does not tell the two apart either.
  }
  throw refuse('internal', `cannot parse json ${json}`);
}

function answerOf(domain: SimDomain, command: string): unknown {
  switch (command) {
    case 'guest-ping':
      return {};
    case 'guest-info':
      return {
        version: '10.0.0',
        supported_commands: ['guest-ping', 'guest-info', 'guest-network-get-interfaces'].map((name) => ({
          name,
          enabled: true,
          'success-response': true,
        })),
      };
    case 'guest-network-get-interfaces':
      return domain.guest?.interfaces() ?? [];
    default:
      throw refuse(
        'internal',
        `unable to execute QEMU agent command '${command}': The command ${command} has not been found`,
      );
  }
}
