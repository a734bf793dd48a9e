/**
 * Domain XML of the lab's guests, pure.
 *
 * Two flavours. `pc`: VF on slot 8 of the only bus. `q35`: every device on a root port of its own and exactly
 * one port left, bus 3, for the VF. The place of the VF in the guest is pinned, so its interface has one name
 * everywhere.
 * Callers: `guest.ts`, scenarios.
 */
import { BRIDGE, type GuestPlace } from './topology.ts';

/** Machine types the lab has guests for. */
export const GUEST_MACHINES = ['pc', 'q35'] as const;
export type GuestMachine = (typeof GUEST_MACHINES)[number];

/** Network managers under which a guest with a real userland has its network. */
export type NetworkManagerName = 'networkmanager' | 'networkd' | 'ifupdown';

/** Aliases libvirt keeps for us; `unplug` and events name devices by them. */
export const VF_ALIAS = 'ua-vf0';
export const STANDBY_ALIAS = 'ua-standby';

/** Where the VF sits in the guest, and how the guest names it (`enp<bus>s<slot>`). */
const VF_PLACES = {
  pc: { bus: 0, slot: 8, interfaceName: 'enp0s8' },
  q35: { bus: 3, slot: 0, interfaceName: 'enp3s0' },
} as const;

/** How the guest names its standby. */
const STANDBY_PLACES = {
  pc: { bus: 0, slot: 3, interfaceName: 'enp0s3' },
  q35: { bus: 1, slot: 0, interfaceName: 'enp1s0' },
} as const;

/** Name of the VF's interface inside a guest of this machine. */
export function vfInterfaceName(machine: GuestMachine): string {
  return VF_PLACES[machine].interfaceName;
}

/** The guest's PCI slot of its VF, as `/sys/bus/pci/slots` names it on `pc`. */
export function vfSlot(machine: GuestMachine): number {
  return VF_PLACES[machine].slot;
}

/** Name of the standby's interface inside a guest of this machine. */
export function standbyInterfaceName(machine: GuestMachine): string {
  return STANDBY_PLACES[machine].interfaceName;
}

/** A root disk of a guest. */
export interface GuestDisk {
  /** Path on the host. */
  readonly path: string;
  readonly format: 'qcow2' | 'raw';
}

/** Everything that makes one guest different from another. */
export interface GuestShape {
  readonly place: GuestPlace;
  readonly machine: GuestMachine;
  readonly memoryMiB: number;
  /** The host's VF in the definition; without one the guest has its standby only. */
  readonly vfPciAddress?: string;
  /** The guest's root; without one it lives in memory. */
  readonly disk?: GuestDisk;
  /** Children of `<metadata>`. */
  readonly metadataXml?: string;
  /**
   * `refusing`: it runs no commands and opens no files, as RHEL has it. Default: one that does everything.
   */
  readonly agent?: 'off' | 'refusing';
  /** Its standby is served by QEMU itself, not by the host's kernel. */
  readonly standbyByQemu?: boolean;
  /**
   * It is a Debian on its disk with this manager, which names the NICs as it does and has no bond until
   * somebody makes one: its standby has the guest's address. Machine `pc` only.
   */
  readonly manager?: NetworkManagerName;
}

/** The interface element of a VF, as attach and definition take it. `vfPciAddress` is the host's. */
export function vfXml(shape: Pick<GuestShape, 'place' | 'machine'>, vfPciAddress: string): string {
  const { place, machine } = shape;
  return hostdevXml({ mac: place.vfMac, alias: VF_ALIAS, at: VF_PLACES[machine] }, vfPciAddress);
}

/** The interface elements of a second standby and a second VF, as attach takes them. Machine `pc` only. */
export function secondPairXml({ second }: GuestPlace, vfPciAddress: string): readonly [string, string] {
  const standby = { mac: second.standbyMac, alias: 'ua-standby1', at: { bus: 0, slot: 9 } };
  const vf = { mac: second.vfMac, alias: 'ua-vf1', at: { bus: 0, slot: 10 } };
  return [standbyXml(standby, 'vhost'), hostdevXml(vf, vfPciAddress)];
}

/** An interface and its place in the guest. */
interface Nic {
  readonly mac: string;
  readonly alias: string;
  readonly at: { readonly bus: number; readonly slot: number };
}

function hostdevXml({ mac, alias, at }: Nic, vfPciAddress: string): string {
  const [domain, bus, slot, pciFunction] = vfPciAddress.split(/[:.]/);
  return `<interface type='hostdev' managed='yes'>
      <mac address='${mac}'/>
      <source>
        <address type='pci' domain='0x${domain}' bus='0x${bus}' slot='0x${slot}' function='0x${pciFunction}'/>
      </source>
      <rom enabled='no'/>
      <alias name='${alias}'/>
      <address type='pci' domain='0' bus='${at.bus}' slot='${at.slot}' function='0'/>
    </interface>`;
}

function standbyXml({ mac, alias, at }: Nic, servedBy: 'vhost' | 'qemu'): string {
  return `<interface type='bridge'>
      <mac address='${mac}'/>
      <source bridge='${BRIDGE.name}'/>
      <model type='virtio'/>
      <driver name='${servedBy}'/>
      <rom enabled='no'/>
      <alias name='${alias}'/>
      <address type='pci' domain='0' bus='${at.bus}' slot='${at.slot}' function='0'/>
    </interface>`;
}

/** The whole domain. */
export function guestXml(shape: GuestShape): string {
  const { place, machine } = shape;
  const standby = { mac: place.standbyMac, alias: STANDBY_ALIAS, at: STANDBY_PLACES[machine] };
  return `<domain type='kvm'>
  <name>${place.name}</name>
  <uuid>${place.uuid}</uuid>
  ${shape.metadataXml ? `<metadata>${shape.metadataXml}</metadata>` : ''}
  <memory unit='MiB'>${shape.memoryMiB}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='${machine}'>hvm</type>
    <kernel>/lab/vmlinuz</kernel>
    <initrd>/lab/guest.initrd</initrd>
    <cmdline>${kernelCommandLine(shape)}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' migratable='on'/>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    ${controllers(shape)}
    ${shape.disk ? diskXml(shape.disk, machine) : ''}
    ${standbyXml(standby, shape.standbyByQemu ? 'qemu' : 'vhost')}
    ${shape.vfPciAddress ? vfXml(shape, shape.vfPciAddress) : ''}
    <serial type='file'><source path='${consolePath(place.name)}' append='on'/><target port='0'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <memballoon model='none'/>
  </devices>
</domain>
`;
}

/** The guest's console on the host it runs on. */
export function consolePath(name: string): string {
  return `/var/log/libvirt/qemu/${name}.console`;
}

function kernelCommandLine(shape: GuestShape): string {
  return [
    'console=ttyS0 quiet panic=-1 8250.nr_uarts=1',
    // The ordinary guest names its NICs itself.
    shape.manager
      ? `lab.manager=${shape.manager} lab.prefix=${shape.place.prefixLength} audit=0 nowatchdog`
      : 'net.ifnames=0',
    'nokaslr mitigations=off tsc=reliable clearcpuid=rep_good no_timer_check random.trust_cpu=on',
    `lab.name=${shape.place.name} lab.ip=${shape.place.address}`,
    ...(shape.disk ? ['lab.root=/dev/vda'] : []),
    ...(shape.agent ? [`lab.agent=${shape.agent}`] : []),
  ].join(' ');
}

/** On q35: bus 1 standby, 2 virtio-serial, 3 the VF's, 4 a disk, if there is one. */
function controllers(shape: GuestShape): string {
  const serial = (address: string) => `<controller type='virtio-serial' index='0'>${address}</controller>`;
  if (shape.machine === 'pc') return serial('');
  const ports = shape.disk ? [1, 2, 3, 4] : [1, 2, 3];
  const port = (index: number) => `<controller type='pci' index='${index}' model='pcie-root-port'/>`;
  return ports.map(port).join('') + serial("<address type='pci' domain='0' bus='2' slot='0' function='0'/>");
}

function diskXml(disk: GuestDisk, machine: GuestMachine): string {
  const place = machine === 'q35' ? "<address type='pci' domain='0' bus='4' slot='0' function='0'/>" : '';
  return `<disk type='file' device='disk'>
      <driver name='qemu' type='${disk.format}' cache='none'/>
      <source file='${disk.path}'/>
      <target dev='vda' bus='virtio'/>
      ${place}
    </disk>`;
}
