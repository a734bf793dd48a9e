/**
 * What a host's daemon says of itself and its machine: versions, names, CPUs. Asked for once per connection
 * and again after a while; only an upgrade under a running daemon changes any of it. Used by `observe.ts`.
 */
import { HandoverError } from '../base/errors.ts';
import { type LibvirtClient, procedures } from '../libvirt/index.ts';
import { type HostCapabilities, readCapabilities } from './capabilities-xml.ts';

const LOOK_LIMIT_MS = 15_000;
/** A daemon that starts with an empty cache probes QEMU for 10 s first. */
const CAPABILITIES_LIMIT_MS = 90_000;
/** The oldest libvirt whose wire layout and behaviour were compared: 9.0.0. */
const LIBVIRT_MIN = 9_000_000;
/** QEMU may be upgraded while libvirtd runs on. */
const KNOWN_FOR_MS = 10 * 60_000;

/** As it was when asked. */
export interface KnownDaemon {
  readonly client: LibvirtClient;
  readonly askedAtMs: number;
  readonly libvirtVersion: string;
  readonly hypervisorVersion: string;
  readonly hostname: string;
  readonly cpuCount: number;
  readonly capabilities: HostCapabilities;
}

/** `before` if it still holds, else asked anew. Throws `LIBVIRT_TOO_OLD`. */
export async function lookAtDaemon(
  client: LibvirtClient,
  before: KnownDaemon | null,
  nowMs: number,
  where: string,
): Promise<KnownDaemon> {
  if (before?.client === client && nowMs - before.askedAtMs < KNOWN_FOR_MS) return before;
  const limit = { timeoutMs: LOOK_LIMIT_MS };
  const { libVersion } = await client.call(procedures.connectGetLibVersion, {}, limit);
  const libvirtVersion = versionText(libVersion);
  if (Number(libVersion) < LIBVIRT_MIN) {
    throw new HandoverError(
      'LIBVIRT_TOO_OLD',
      `${where} runs libvirt ${libvirtVersion}; Handover needs 9.0 or newer`,
      { detail: { version: libvirtVersion } },
    );
  }
  const [{ xml }, { hvVersion }, { hostname }, { cpus }] = await Promise.all([
    client.call(procedures.connectGetCapabilities, {}, { timeoutMs: CAPABILITIES_LIMIT_MS }),
    client.call(procedures.connectGetVersion, {}, limit),
    client.call(procedures.connectGetHostname, {}, limit),
    client.call(procedures.nodeGetInfo, {}, limit),
  ]);
  return {
    client,
    askedAtMs: nowMs,
    libvirtVersion,
    hypervisorVersion: versionText(hvVersion),
    hostname,
    cpuCount: cpus,
    capabilities: readCapabilities(xml),
  };
}

/** 11003000 -> `11.3.0`. */
function versionText(version: bigint): string {
  const number = Number(version);
  return [Math.floor(number / 1e6), Math.floor(number / 1e3) % 1e3, number % 1e3].join('.');
}
