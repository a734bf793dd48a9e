/** Procedures about one domain, migration aside (`migrate.ts`). Flags and states are in `flags.ts`. */
import { array, flag, int, struct, uhyper, uint } from '../xdr/codec.ts';
import { qemu, remote } from './procedure.ts';
import { typedParams } from './typed-params.ts';
import {
  domain,
  domainAndFlags,
  domainOnly,
  domainReply,
  nothing,
  optionalText,
  text,
  texts,
  uuid,
  xmlReply,
} from './types.ts';

const JOB_STATS_MAX = 64;
const INTERFACES_MAX = 2048;
const ADDRESSES_MAX = 2048;
const MESSAGES_MAX = 2048;

const deviceXml = struct({ dom: domain, xml: text, flags: uint });

/** One domain: state, lifecycle, devices, metadata, jobs, agent. */
export const domainProcedures = {
  domainLookupByName: remote(23, 'domain_lookup_by_name', 'high', struct({ name: text }), domainReply),
  /** Error `noDomain` if the host does not know it. */
  domainLookupByUuid: remote(24, 'domain_lookup_by_uuid', 'high', struct({ uuid }), domainReply),
  domainGetXmlDesc: remote(14, 'domain_get_xml_desc', 'low', domainAndFlags, xmlReply),
  /** Numbers of `DOMAIN_STATE` and, for the reason, of `RUNNING_REASON` and its sisters. */
  domainGetState: remote(
    212,
    'domain_get_state',
    'high',
    domainAndFlags,
    struct({ state: int, reason: int }),
  ),
  domainGetInfo: remote(
    16,
    'domain_get_info',
    'low',
    domainOnly,
    struct({ state: int, maxMemoryKiB: uhyper, memoryKiB: uhyper, vcpus: uint, cpuTimeNs: uhyper }),
  ),
  domainIsPersistent: remote(151, 'domain_is_persistent', 'high', domainOnly, struct({ persistent: flag })),
  domainIsActive: remote(150, 'domain_is_active', 'high', domainOnly, struct({ active: flag })),

  domainCreateXml: remote(10, 'domain_create_xml', 'low', struct({ xml: text, flags: uint }), domainReply),
  domainDefineXmlFlags: remote(
    350,
    'domain_define_xml_flags',
    'high',
    struct({ xml: text, flags: uint }),
    domainReply,
  ),
  domainUndefineFlags: remote(231, 'domain_undefine_flags', 'high', domainAndFlags, nothing),
  domainCreateWithFlags: remote(196, 'domain_create_with_flags', 'low', domainAndFlags, domainReply),
  domainDestroyFlags: remote(234, 'domain_destroy_flags', 'high', domainAndFlags, nothing),
  domainShutdownFlags: remote(258, 'domain_shutdown_flags', 'low', domainAndFlags, nothing),
  domainSuspend: remote(34, 'domain_suspend', 'low', domainOnly, nothing),
  domainResume: remote(28, 'domain_resume', 'low', domainOnly, nothing),
  domainGetAutostart: remote(15, 'domain_get_autostart', 'high', domainOnly, struct({ autostart: flag })),
  domainSetAutostart: remote(
    29,
    'domain_set_autostart',
    'high',
    struct({ dom: domain, autostart: flag }),
    nothing,
  ),

  domainAttachDeviceFlags: remote(160, 'domain_attach_device_flags', 'low', deviceXml, nothing),
  /** OK after 5 s does not mean that the device is gone. Prefer the alias, and wait for the event. */
  domainDetachDeviceFlags: remote(161, 'domain_detach_device_flags', 'low', deviceXml, nothing),
  domainUpdateDeviceFlags: remote(174, 'domain_update_device_flags', 'low', deviceXml, nothing),
  /**
   * Asks the guest to give the device back and returns; `deviceRemoved` or the XML tells when it did. An
   * alias that the domain does not have is error `internal`, not `deviceMissing`.
   */
  domainDetachDeviceAlias: remote(
    392,
    'domain_detach_device_alias',
    'low',
    struct({ dom: domain, alias: text, flags: uint }),
    nothing,
  ),

  /**
   * `metadata` null deletes it. Type 2 is an element of our own, named by `uri`, written with prefix `key`.
   */
  domainSetMetadata: remote(
    264,
    'domain_set_metadata',
    'low',
    struct({
      dom: domain,
      type: int,
      metadata: optionalText,
      key: optionalText,
      uri: optionalText,
      flags: uint,
    }),
    nothing,
  ),
  /** Error `noDomainMetadata` if there is none. */
  domainGetMetadata: remote(
    265,
    'domain_get_metadata',
    'low',
    struct({ dom: domain, type: int, uri: optionalText, flags: uint }),
    struct({ metadata: text }),
  ),
  /** What libvirt marks as tainted or deprecated. */
  domainGetMessages: remote(
    426,
    'domain_get_messages',
    'low',
    domainAndFlags,
    struct({ messages: texts(MESSAGES_MAX) }),
  ),
  /** `source` is one of `INTERFACE_ADDRESSES_SOURCE`. */
  domainInterfaceAddresses: remote(
    353,
    'domain_interface_addresses',
    'low',
    struct({ dom: domain, source: uint, flags: uint }),
    struct({
      interfaces: array(
        struct({
          name: text,
          mac: optionalText,
          addresses: array(struct({ type: int, address: text, prefix: uint }), ADDRESSES_MAX),
        }),
        INTERFACES_MAX,
      ),
    }),
  ),

  /** `type` is one of `JOB_TYPE`; `flags` 1 asks about the last completed job. */
  domainGetJobStats: remote(
    298,
    'domain_get_job_stats',
    'low',
    domainAndFlags,
    struct({ type: int, params: typedParams(JOB_STATS_MAX) }),
  ),
  domainAbortJob: remote(164, 'domain_abort_job', 'low', domainOnly, nothing),
  domainAbortJobFlags: remote(442, 'domain_abort_job_flags', 'low', domainAndFlags, nothing),

  /** `cmd` is JSON for the guest agent; `timeoutS` -2 block, -1 libvirt's default (5 s), 0 do not wait. */
  qemuAgentCommand: qemu(
    3,
    'qemu_domain_agent_command',
    struct({ dom: domain, cmd: text, timeoutS: int, flags: uint }),
    struct({ result: optionalText }),
  ),
  /** A QMP command (`flags` 1: a human one). Taints the domain: for tests, never for the engine. */
  qemuMonitorCommand: qemu(
    1,
    'qemu_domain_monitor_command',
    struct({ dom: domain, cmd: text, flags: uint }),
    struct({ result: text }),
  ),
};
