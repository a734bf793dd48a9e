/** Hosts as the native API shows them, see `../types/host-view.ts`. Pure. */
import { isoTime } from '../../base/clock.ts';
import type { Host, PeerTest } from '../../model/host.ts';
import type { HostView, PeerTestView } from '../types/host-view.ts';

/** The view of host-to-host tests, by the id of the other host. */
export function toPeerTestsView(
  tests: Iterable<readonly [string, PeerTest]>,
): Readonly<Record<string, PeerTestView>> {
  return Object.fromEntries(
    Array.from(tests, ([id, test]) => [id, { ...test, testedAt: isoTime(test.testedAt) }]),
  );
}

/** The view of a host: all there is, with its times as texts. */
export function toHostView(host: Host): HostView {
  return {
    ...host,
    observedAt: host.observedAt === null ? null : isoTime(host.observedAt),
    peerTests: toPeerTestsView(Object.entries(host.peerTests)),
  };
}
