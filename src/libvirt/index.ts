/**
 * libvirt's wire protocol, client and what a server needs. Knows nothing of Handover. Import from here.
 *
 * Connect      `connect(uri, options)` -> `LibvirtClient` with `call`, `on`, `onClose`, `close`;
 * `parseHostUri`
 *              `openClient(transport, driverUri, options)` over any `Transport` (`memoryTransportPair` for
 *              tests)
 * Call         `client.call(procedures.domainGetState, { dom, flags: 0 }, { timeoutMs, signal })`
 * Events       `client.on(DOMAIN_EVENTS.deviceRemoved, dom, (event) => ...)` -> `Subscription.off()`
 * Errors       `libvirtCodeOf(error)`, `isLibvirtCode(error, LIBVIRT_CODE.noDomain)`,
 * `libvirtMessageOf(error)` Words        flags, states and typed parameters: `MIGRATE`, `DOMAIN_STATE`,
 * `param`, `paramNumber`... Migrate      `migratePeerToPeer`, `migrateDirect`
 * XML          `parseXml`, `child`, `children`, `attr`, `textOf`, `element`, `setAttr`, `writeXml`...
 * Server side  `FrameReader`, `encodeFrame`, `procedureByNumber`, `keepaliveFrame`, `decode`, `encode`
 */
export {
  type CallOptions,
  type ClientOptions,
  connect,
  type LibvirtClient,
  openClient,
  type Subscription,
} from './client.ts';
export {
  encodeFrame,
  type Frame,
  FRAME_STATUS,
  FRAME_TYPE,
  type FrameHeader,
  FrameReader,
  isViolation,
  keepaliveFrame,
  MAX_FRAME_BYTES,
} from './framing.ts';
export { DIRECT_PHASES, type DirectMigration, type DirectPhase, migrateDirect } from './migrate-direct.ts';
export { migratePeerToPeer, type PeerToPeerMigration } from './migrate-peer-to-peer.ts';
export * from './procedures/index.ts';
export type { DialLimits } from './transport/limits.ts';
export { type MemoryTransport, memoryTransportPair } from './transport/memory.ts';
export { sshArguments, type SshTarget, sshVerdict } from './transport/ssh.ts';
export type { Transport, TransportHandlers } from './transport/transport.ts';
export { type Endpoint, type HostUri, parseHostUri } from './uri.ts';
export { isLibvirtCode, libvirtCodeOf, libvirtMessageOf, type RefusalDetail } from './wire-error.ts';
export { type Codec, decode, encode, type Infer } from './xdr/codec.ts';
export * from './xml/index.ts';
