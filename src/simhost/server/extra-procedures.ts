/**
 * Procedures that other clients (virsh, python3-libvirt) use and Handover's engine does not. Numbers and
 * layouts are libvirt's wire ABI.
 */
import { array, flag, int, struct, uhyper, uint } from '../../libvirt/xdr/codec.ts';
import type { EventKind } from '../../libvirt/procedures/index.ts';
import { remote } from '../../libvirt/procedures/procedure.ts';
import {
  domain,
  domainAndFlags,
  domainOnly,
  domainReply,
  nothing,
  text,
} from '../../libvirt/procedures/types.ts';

const LIST_MAX = 16384;

const named = struct({ name: text, dom: domain });
const listed = struct({ dom: domain, needResults: flag, flags: uint });

/** The guest restarted; events Handover's engine does not listen for. */
export const extraEvents = {
  reboot: {
    name: 'reboot',
    of: 'domain',
    id: 1,
    message: 319,
    payload: struct({ callbackId: int, dom: domain }),
  },
} as const satisfies Record<string, EventKind<object>>;

export const extraProcedures = {
  domainAttachDevice: remote(8, 'domain_attach_device', 'low', struct({ dom: domain, xml: text }), nothing),
  domainCreate: remote(9, 'domain_create', 'low', domainOnly, nothing),
  domainDefineXml: remote(11, 'domain_define_xml', 'high', struct({ xml: text }), domainReply),
  domainDestroy: remote(12, 'domain_destroy', 'high', domainOnly, nothing),
  domainDetachDevice: remote(13, 'domain_detach_device', 'low', struct({ dom: domain, xml: text }), nothing),
  domainGetMaxMemory: remote(17, 'domain_get_max_memory', 'low', domainOnly, struct({ memoryKiB: uhyper })),
  domainGetOsType: remote(19, 'domain_get_os_type', 'low', domainOnly, struct({ type: text })),
  domainReboot: remote(27, 'domain_reboot', 'low', domainAndFlags, nothing),
  domainShutdown: remote(33, 'domain_shutdown', 'low', domainOnly, nothing),
  domainUndefine: remote(35, 'domain_undefine', 'high', domainOnly, nothing),
  /** None; both are lists of characters, a word each. */
  nodeGetSecurityModel: remote(
    122,
    'node_get_security_model',
    'high',
    nothing,
    struct({ model: array(int, 4096), doi: array(int, 4096) }),
  ),
  domainGetJobInfo: remote(
    163,
    'domain_get_job_info',
    'low',
    domainOnly,
    struct({
      type: int,
      timeElapsed: uhyper,
      timeRemaining: uhyper,
      dataTotal: uhyper,
      dataProcessed: uhyper,
      dataRemaining: uhyper,
      memTotal: uhyper,
      memProcessed: uhyper,
      memRemaining: uhyper,
      fileTotal: uhyper,
      fileProcessed: uhyper,
      fileRemaining: uhyper,
    }),
  ),
  domainHasManagedSaveImage: remote(
    183,
    'domain_has_managed_save_image',
    'low',
    domainAndFlags,
    struct({ has: flag }),
  ),
  domainReset: remote(245, 'domain_reset', 'low', domainAndFlags, nothing),
  domainListAllSnapshots: remote(
    274,
    'domain_list_all_snapshots',
    'high',
    listed,
    struct({ snapshots: array(named, LIST_MAX), ret: int }),
  ),
  domainListAllCheckpoints: remote(
    413,
    'domain_list_all_checkpoints',
    'high',
    listed,
    struct({ checkpoints: array(named, LIST_MAX), ret: int }),
  ),
};
