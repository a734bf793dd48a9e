/**
 * What the guest agent says of the guest's network. The guest is not trusted: anything malformed is left out.
 */
import type { VmId } from '../base/ids.ts';
import { parseMac } from '../base/ids.ts';
import { LIBVIRT_CODE, type LibvirtClient, procedures } from '../libvirt/index.ts';
import type { GuestInterface } from './port.ts';
import { domainRef, nullOn } from './refusals.ts';

/** VIR_ERR_ARGUMENT_UNSUPPORTED: "QEMU guest agent is not configured". */
const ARGUMENT_UNSUPPORTED = 74;
const AGENT_LIMIT_S = 5;
/** libvirt waits for the agent, and before that for another command to the same agent. */
const CALL_LIMIT_MS = 20_000;
const INTERFACES_MAX = 256;

type Json = Readonly<Record<string, unknown>>;

/** See `Hypervisor.guestInterfaces`. */
export async function lookAtGuest(client: LibvirtClient, vmId: VmId): Promise<GuestInterface[] | null> {
  const answer = await nullOn(
    client.call(
      procedures.qemuAgentCommand,
      {
        dom: domainRef(vmId),
        cmd: JSON.stringify({ execute: 'guest-network-get-interfaces' }),
        timeoutS: AGENT_LIMIT_S,
        flags: 0,
      },
      { timeoutMs: CALL_LIMIT_MS },
    ),
    LIBVIRT_CODE.noDomain,
    LIBVIRT_CODE.agentUnresponsive,
    // No agent channel configured, or the domain is not running.
    LIBVIRT_CODE.operationInvalid,
    LIBVIRT_CODE.configUnsupported,
    ARGUMENT_UNSUPPORTED,
    // The agent answered with an error of its own, such as a command it was told to refuse.
    LIBVIRT_CODE.internal,
    LIBVIRT_CODE.noSupport,
    LIBVIRT_CODE.operationTimeout,
  );
  return answer?.result ? parseGuestInterfaces(answer.result) : null;
}

/** Parses the answer to `guest-network-get-interfaces`; null if it is none. */
export function parseGuestInterfaces(json: string): GuestInterface[] | null {
  let answer: unknown;
  try {
    answer = JSON.parse(json);
  } catch {
    return null;
  }
  const list = objectOf(answer)['return'];
  if (!Array.isArray(list)) return null;
  return list.slice(0, INTERFACES_MAX).flatMap((each) => {
    const row = objectOf(each);
    const name = row['name'];
    if (typeof name !== 'string') return [];
    const mac = row['hardware-address'];
    const statistics = objectOf(row['statistics']);
    return [
      {
        name,
        mac: typeof mac === 'string' ? parseMac(mac) : null,
        addresses: addressesOf(row['ip-addresses']),
        rxPackets: numberOf(statistics['rx-packets']),
        txPackets: numberOf(statistics['tx-packets']),
      },
    ];
  });
}

function addressesOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => {
    const address = objectOf(each)['ip-address'];
    return typeof address === 'string' ? [address] : [];
  });
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
