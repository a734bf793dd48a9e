/** Real daemons as servers of the wire suite. */
import { startLibvirtd } from '../support/libvirtd.ts';
import type { StartServer } from './wire-suite.ts';

/**
 * Daemons on 127.0.1.N from `first`, of the libvirt unpacked at `root` or of the installed one. They ping
 * every second, so that tests see some.
 */
export function daemons(root?: string): StartServer {
  return async (index) => {
    const daemon = await startLibvirtd({
      name: `wire-${index}`,
      root,
      extraConfig: ['keepalive_interval = 1', 'keepalive_count = 5'],
    });
    return {
      uri: daemon.unixUri(),
      peerUri: daemon.tcpUri(),
      kill: () => daemon.kill(),
      stop: () => daemon.stop(),
    };
  };
}
