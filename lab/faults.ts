/**
 * What goes wrong on hosts: daemons and guests that die, daemons that hang, hosts that do not reach each
 * other, strangers that take a VF past libvirt. Each is done to the real thing and seen done before the
 * function returns; nothing is undone by itself but by the reset of the hosts after every scenario.
 * Callers: scenarios.
 */
import { runInNamespace, tapName } from './namespace.ts';
import type { Guest } from './guest.ts';
import { hostExec } from './ssh.ts';
import { HOST_LETTERS, type HostLetter, vfPciAddress } from './topology.ts';

/** Longer than any migration of a scenario, boot included. */
const WATCH_LIMIT_MS = 480_000;
/** Quiet machine: 3 to 4 s. */
const DAEMON_LIMIT_MS = 120_000;

/** Shell commands for `atLifecycle`, where the time of a call over ssh would be too long. */
export const KILL_LIBVIRTD = 'kill -9 $(pidof libvirtd)';
export const killGuestCommand = (guest: Guest): string =>
  `kill -9 $(cat /run/libvirt/qemu/${guest.place.name}.pid)`;

/** Power cut of the daemon alone: guests go on. Gone when this returns. */
export async function killLibvirtd(letter: HostLetter): Promise<void> {
  await hostExec(letter, `${KILL_LIBVIRTD}; while pidof libvirtd >/dev/null; do sleep 0.1; done`);
}

/** Starts it as the host's init does, and waits until it answers. */
export async function startLibvirtd(letter: HostLetter): Promise<void> {
  const answers = 'virsh -q -c qemu:///system version >/dev/null 2>&1';
  await hostExec(letter, `/usr/sbin/libvirtd -d --listen; until ${answers}; do sleep 0.2; done`, {
    limitMs: DAEMON_LIMIT_MS,
  });
}

/** The daemon answers nothing any more; its connections stay open. */
export async function hangLibvirtd(letter: HostLetter): Promise<void> {
  await hostExec(letter, 'kill -STOP $(pidof libvirtd)');
}

/** Ends the QEMU of a guest, as the kernel does when memory is short. */
export async function killGuest(letter: HostLetter, guest: Guest): Promise<void> {
  await hostExec(letter, killGuestCommand(guest));
}

/**
 * Starts to watch a host's domains and resolves after the first such event and what is then done there at
 * once. Rejects when libvirtd ends or nothing comes within 8 minutes. May be left alone.
 */
export function atLifecycle(
  letter: HostLetter,
  event: 'Resumed' | 'Stopped',
  command = 'true',
): Promise<void> {
  const script =
    'coproc exec stdbuf -oL virsh -q event --event lifecycle --loop; ' +
    `while read -r line <&"\${COPROC[0]}"; do case "$line" in *" ${event} "*) ` +
    `${command}; kill "$COPROC_PID" 2>/dev/null; exit 0;; esac; done; exit 1`;
  const happened = hostExec(letter, script, { limitMs: WATCH_LIMIT_MS }).then(() => undefined);
  // The caller hears of it when it waits; until then it must not count as unhandled.
  happened.catch(() => {});
  return happened;
}

/** The hosts reach each other, or only the engine. Their addresses and links stay up: packets vanish. */
export async function setHostToHost(state: 'cut' | 'joined'): Promise<void> {
  for (const letter of HOST_LETTERS) {
    // Isolated ports of a bridge reach the bridge itself, where the engine is, and not each other.
    const isolated = state === 'cut' ? 'on' : 'off';
    const tap = tapName(letter, 'management');
    await runInNamespace(['bridge', 'link', 'set', 'dev', tap, 'isolated', isolated]);
  }
}

/**
 * The time after which libvirtd gives up a silent peer, as a stock libvirt has it (5 s, 5 times); the lab's
 * own is longer because its hosts are slow. The daemon is restarted for it.
 */
export async function useStockKeepalive(letter: HostLetter): Promise<void> {
  const stock = [
    's/^keepalive_interval = .*/keepalive_interval = 5/',
    's/^keepalive_count = .*/keepalive_count = 5/',
  ];
  await hostExec(letter, `sed -i '${stock.join(';')}' /etc/libvirt/qemu.conf /etc/libvirt/libvirtd.conf`);
  await killLibvirtd(letter);
  await startLibvirtd(letter);
}

/** A process that libvirt knows nothing of uses a VF through vfio-pci, as a DPDK application does. */
export async function holdVf(letter: HostLetter, vf: number): Promise<void> {
  const address = vfPciAddress(vf);
  const device = `/sys/bus/pci/devices/${address}`;
  await hostExec(
    letter,
    `echo vfio-pci >${device}/driver_override && echo ${address} >/sys/bus/pci/drivers_probe || exit 1; ` +
      `sleep 3600 9<>/dev/vfio/$(basename $(readlink ${device}/iommu_group)) >/dev/null 2>&1 </dev/null & ` +
      `until [ -e /proc/$!/fd/9 ]; do kill -0 $! || exit 1; sleep 0.1; done`,
  );
}
