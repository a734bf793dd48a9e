/** Procedures about the connection and the host itself. */
import { array, fixedOpaque, flag, int, mapped, struct, uhyper, uint } from '../xdr/codec.ts';
import { remote } from './procedure.ts';
import { typedParams } from './typed-params.ts';
import { domain, domainReply, LIST_MAX, nothing, optionalText, text } from './types.ts';

const AUTH_TYPES_MAX = 20;
const MEMORY_STATS_MAX = 16;
const DOMAIN_STATS_PARAMS_MAX = 4096;

/** `char model[32]`: XDR carries each char in a word of its own. */
const cpuModel = mapped(
  fixedOpaque(32 * 4),
  (name: string) => {
    const words = Buffer.alloc(32 * 4);
    const bytes = Buffer.from(name, 'latin1').subarray(0, 31);
    bytes.forEach((byte, index) => words.writeUInt32BE(byte, index * 4));
    return words;
  },
  (words) => {
    const bytes = Buffer.from(words).filter((_, index) => index % 4 === 3);
    const end = bytes.indexOf(0);
    return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('latin1');
  },
);

/** Lists need `need_results` 1, else only their number is returned. */
export const listArgs = struct({ needResults: flag, flags: uint });

/** The connection, the host, lists of domains. */
export const connectProcedures = {
  /** `types` holds numbers of `AUTH`. The first call of every connection. */
  authList: remote(66, 'auth_list', 'high', nothing, struct({ types: array(int, AUTH_TYPES_MAX) })),
  /** The daemon checks the peer process; nothing to say. */
  authPolkit: remote(70, 'auth_polkit', 'high', nothing, struct({ complete: flag })),
  /** Feature 10 (keepalive) also switches the daemon's own pings on. */
  connectSupportsFeature: remote(
    60,
    'connect_supports_feature',
    'high',
    struct({ feature: int }),
    struct({ supported: flag }),
  ),
  /** `flags` 1 is read-only. */
  connectOpen: remote(1, 'connect_open', 'high', struct({ name: optionalText, flags: uint }), nothing),
  connectClose: remote(2, 'connect_close', 'high', nothing, nothing),
  connectGetType: remote(3, 'connect_get_type', 'high', nothing, struct({ type: text })),
  /** Version of the hypervisor (QEMU), major * 1000000 + minor * 1000 + release. */
  connectGetVersion: remote(4, 'connect_get_version', 'high', nothing, struct({ hvVersion: uhyper })),
  /** Version of libvirt, 11003000 for 11.3.0. */
  connectGetLibVersion: remote(
    157,
    'connect_get_lib_version',
    'high',
    nothing,
    struct({ libVersion: uhyper }),
  ),
  /** Resolves the name by DNS on the host: may take long. */
  connectGetHostname: remote(59, 'connect_get_hostname', 'high', nothing, struct({ hostname: text })),
  connectGetUri: remote(110, 'connect_get_uri', 'high', nothing, struct({ uri: text })),
  connectGetCapabilities: remote(7, 'connect_get_capabilities', 'low', nothing, struct({ xml: text })),
  connectGetDomainCapabilities: remote(
    342,
    'connect_get_domain_capabilities',
    'low',
    struct({
      emulator: optionalText,
      arch: optionalText,
      machine: optionalText,
      virtType: optionalText,
      flags: uint,
    }),
    struct({ xml: text }),
  ),
  /** `result` is one of `CPU_COMPARE`. */
  connectCompareHypervisorCpu: remote(
    393,
    'connect_compare_hypervisor_cpu',
    'low',
    struct({
      emulator: optionalText,
      arch: optionalText,
      machine: optionalText,
      virtType: optionalText,
      cpuXml: text,
      flags: uint,
    }),
    struct({ result: int }),
  ),
  /** `memoryKiB` of the whole host; `cpus` are the active ones. */
  nodeGetInfo: remote(
    6,
    'node_get_info',
    'high',
    nothing,
    struct({
      model: cpuModel,
      memoryKiB: uhyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    }),
  ),
  nodeGetFreeMemory: remote(102, 'node_get_free_memory', 'high', nothing, struct({ freeBytes: uhyper })),
  /**
   * `cell` -1 is the whole host. `count` 0 asks how many there are; values in KiB: total, free, buffers,
   * cached.
   */
  nodeGetMemoryStats: remote(
    228,
    'node_get_memory_stats',
    'high',
    struct({ count: int, cell: int, flags: uint }),
    struct({ params: array(struct({ field: text, value: uhyper }), MEMORY_STATS_MAX), count: int }),
  ),
  connectListAllDomains: remote(
    273,
    'connect_list_all_domains',
    'high',
    listArgs,
    struct({ domains: array(domain, LIST_MAX), count: uint }),
  ),
  domainLookupById: remote(22, 'domain_lookup_by_id', 'high', struct({ id: int }), domainReply),
  /** No domains given: those that `flags` select. `stats` is a mask of `DOMAIN_STATS`. */
  connectGetAllDomainStats: remote(
    344,
    'connect_get_all_domain_stats',
    'low',
    struct({ doms: array(domain, LIST_MAX), stats: uint, flags: uint }),
    struct({
      records: array(struct({ dom: domain, params: typedParams(DOMAIN_STATS_PARAMS_MAX) }), LIST_MAX),
    }),
  ),
  /** Asks for `connectionClosed`: the daemon's own connection to a driver daemon broke (modular daemons). */
  connectRegisterCloseCallback: remote(360, 'connect_register_close_callback', 'high', nothing, nothing),
  connectUnregisterCloseCallback: remote(361, 'connect_unregister_close_callback', 'high', nothing, nothing),
};
