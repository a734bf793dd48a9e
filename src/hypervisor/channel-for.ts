/**
 * Which host channel belongs to a host: over the same ssh destination as its URI, here for unix sockets, else
 * none.
 */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { parseHostUri, sshArguments } from '../libvirt/index.ts';
import { absentChannel, type HostChannel, ShellChannel } from './host-channel.ts';
import { openShell } from './host-shell.ts';

/**
 * A host that lost power says nothing: an idle shell to it must be found dead before a migration needs it.
 */
const NOTICE_DEATH = ['-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3'];

/** The channel of the host `where` with that URI. Starts nothing yet. Throws `HOST_URI_INVALID`. */
export function channelFor(deps: { clock: Clock; random: Random }, where: string, uri: string): HostChannel {
  const at = parseHostUri(uri).endpoint;
  switch (at.transport) {
    case 'unix':
      return new ShellChannel(where, () => openShell(deps, where, ['sh']));
    case 'ssh': {
      const argv = ['ssh', ...NOTICE_DEATH, ...sshArguments(at, 'sh')];
      return new ShellChannel(where, () => openShell(deps, where, argv));
    }
    case 'tls':
    case 'tcp':
      return absentChannel(
        where,
        `qemu+${at.transport} gives no shell on the host; use qemu+ssh to see MAC, VLAN and link of its VFs`,
      );
  }
}

/** `uri` with the engine's ssh configuration file, unless it names one itself or does not use ssh. */
export function withSshConfig(uri: string, sshConfig: string | undefined): string {
  const at = parseHostUri(uri).endpoint;
  if (sshConfig === undefined || at.transport !== 'ssh' || at.configFile !== null) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}ssh_config=${encodeURIComponent(sshConfig)}`;
}
