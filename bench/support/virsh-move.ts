/**
 * Moves without Handover: what an operator would write, and what a VM without a VF needs. Callers: benches.
 */
import { type Guest } from '../../lab/guest.ts';
import { VF_ALIAS, vfXml } from '../../lab/guest-xml.ts';
import { inNamespace } from '../../lab/namespace.ts';
import { MIGRATION_LIMIT_MS, other } from '../../lab/scenarios/support.ts';
import { run } from '../../lab/shell.ts';
import { hostExec, sshCommand } from '../../lab/ssh.ts';
import { type HostLetter, hostPlace, vfPciAddress } from '../../lab/topology.ts';

const SCRIPT = new URL('virsh-move.sh', import.meta.url).pathname;

/** Moves a guest with a VF to `to` by the script of virsh commands. */
export async function moveByScript(guest: Guest, to: HostLetter): Promise<void> {
  const vf = vfXml(guest.shape, vfPciAddress(0));
  const ssh = [sshCommand(other(to)), sshCommand(to)].map((command) => command.join(' '));
  const script = [SCRIPT, ...ssh, hostPlace(to).name, guest.place.name, VF_ALIAS, vf, vf];
  const [program = '', ...args] = inNamespace(['sh', ...script]);
  await run(program, args, { limitMs: MIGRATION_LIMIT_MS });
}

/** Moves a guest without a VF to `to`: one `virsh migrate`. */
export async function moveBare(guest: Guest, to: HostLetter): Promise<void> {
  const uri = `qemu+ssh://root@${hostPlace(to).name}/system`;
  const migrate = `virsh -q migrate --live --p2p --persistent --undefinesource ${guest.place.name} ${uri}`;
  await hostExec(other(to), migrate, { limitMs: MIGRATION_LIMIT_MS });
}
