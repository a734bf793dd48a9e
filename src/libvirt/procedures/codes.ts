/**
 * Numbers libvirt uses in errors (virErrorNumber, virErrorDomain, virErrorLevel): the ones somebody here
 * matches on or answers with. They are part of the stable ABI. Always match on the code; texts change and are
 * translated.
 */

/** `code` of an error. */
export const LIBVIRT_CODE = {
  internal: 1,
  noSupport: 3,
  invalidArgument: 8,
  operationFailed: 9,
  xmlError: 27,
  operationDenied: 29,
  /** The XML is not well formed. */
  xmlDetail: 35,
  system: 38,
  rpc: 39,
  noDomain: 42,
  noNetwork: 43,
  authFailed: 45,
  noNodeDevice: 53,
  operationInvalid: 55,
  configUnsupported: 67,
  /** A job lock was not got within 30 s, or the domain's job is still open. */
  operationTimeout: 68,
  /** VFIO is not available, for instance. */
  argumentUnsupported: 74,
  /** The migration was aborted. */
  operationAborted: 78,
  noDomainMetadata: 80,
  operationUnsupported: 84,
  agentUnresponsive: 86,
  resourceBusy: 87,
  accessDenied: 88,
  cpuIncompatible: 91,
  /** Finish with `cancelled` did as told; there is just no domain to return. */
  migrateFinishOk: 93,
  deviceMissing: 99,
  /** The guest agent said no. Seen with 11.3; older daemons say `internal`. */
  agentCommandFailed: 113,
} as const;

/** `domain` of an error: the part of libvirt it comes from. */
export const LIBVIRT_ERROR_DOMAIN = {
  none: 0,
  dom: 6,
  rpc: 7,
  qemu: 10,
  test: 12,
  domain: 20,
  nodeDevice: 22,
  network: 19,
  storage: 18,
} as const;

/** `level` of an error. */
export const LIBVIRT_ERROR_LEVEL = { none: 0, warning: 1, error: 2 } as const;
