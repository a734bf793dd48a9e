/**
 * Violence against simulated hosts: libvirtd killed and started again, power lost, a QEMU killed. Used by
 * faults and tests.
 */
import { EMPTY_MAC } from './hardware.ts';
import type { SimDomain } from './domain.ts';
import type { SimHost } from './host.ts';
import { startDomain, stopQemu } from './lifecycle.ts';

/** SIGKILL of libvirtd; QEMUs and guests live on. Started again after `restartAfterMs`, or never if null. */
export function killLibvirtd(host: SimHost, restartAfterMs: number | null): void {
  host.killDaemon();
  if (restartAfterMs !== null) host.context.clock.after(restartAfterMs, () => startLibvirtd(host));
}

/** Starts libvirtd again, if the host has power. */
export function startLibvirtd(host: SimHost): void {
  if (host.powered) host.startDaemon();
}

/**
 * Power lost: every QEMU is gone without a word, VFs are as after a boot, nothing answers until `bootHost`.
 * Nobody is told: who was connected hears nothing any more.
 */
export function crashHost(host: SimHost): void {
  host.losePower();
  for (const domain of [...host.domains.values()]) {
    if (domain.active) stopQemu(host, domain, 'unknown');
  }
  // Guests let go in a microtask at most; nothing of before reaches the daemon that boots later.
  host.losePower();
  for (const vf of host.hardware.vfs) {
    vf.holder = null;
    vf.driver = vf.pf.spec.vfDriver;
    vf.mac = EMPTY_MAC;
    vf.vlan = 0;
  }
}

/** Power is back: libvirtd starts, and with it the domains that start by themselves. */
export async function bootHost(host: SimHost): Promise<void> {
  host.gainPower();
  host.startDaemon();
  const wanted = [...host.domains.values()].filter((domain) => domain.autostart && !domain.active);
  await Promise.all(wanted.map((domain) => startDomain(host, domain, 0)));
}

/** SIGKILL of a QEMU. */
export function killQemu(host: SimHost, domain: SimDomain): void {
  if (!domain.active) return;
  const { ref } = domain;
  stopQemu(host, domain, 'crashed');
  host.tellDaemon(() => host.emit({ type: 'lifecycle', dom: { ...ref, id: -1 }, event: 5, detail: 5 }));
}
