/**
 * Simulated hosts and VMs for whole migrations: small hosts with one PF each, VMs with any number of VFs
 * beside their standby. Plain data; addresses and MACs follow from the numbers, so that tests can name them.
 */
import type { PciAddress, VmId } from '../../src/base/ids.ts';
import { DEMO_FLEET } from '../../src/simhost/demo-inventory.ts';
import {
  PROMPT_UNPLUG,
  type SimDomainSpec,
  type SimFleetSpec,
  type SimGuestSpec,
} from '../../src/simhost/inventory.ts';

/** Name of the pool of VFs every host has when `pool` is asked for. */
export const POOL = 'vf-pool';
/** Networks' VLAN of all VFs. */
export const VLAN = 42;

/** A VM to begin with. */
export interface SimVmSpec {
  readonly name: string;
  /** Default `host-a`. */
  readonly host?: string;
  /** Numbers of the VFs it has on its host; default one, number 0. */
  readonly vfs?: readonly number[];
  readonly managed?: boolean;
  /** Its VF comes from the host's pool. */
  readonly pool?: boolean;
  readonly transient?: boolean;
  /** False: its VFs have libvirt's own aliases (`hostdev0`), which do not last. */
  readonly userAliases?: false;
  readonly autostart?: boolean;
  /** Path of a local disk. */
  readonly disk?: string;
  /** Standby and first VF have one MAC, as a bond with fail_over_mac=none wants it. */
  readonly oneMac?: boolean;
  readonly guest?: Partial<SimGuestSpec>;
}

/** `0000:3b:02.N`, the VF with that number on the PF of every host. */
export const vfOf = (number: number): PciAddress => `0000:3b:02.${number}` as PciAddress;
/** Alias of a VM's nth vNIC on a VF. */
export const aliasOf = (index: number): string => `ua-vf${index}`;

/** Identity of the nth VM of a world. */
export const uuidOf = (index: number): VmId =>
  `3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b2e${index.toString(16).padStart(2, '0')}` as VmId;

const macOf = (vm: number, vnic: number): string =>
  `52:54:00:ee:${vm.toString(16).padStart(2, '0')}:${vnic.toString(16).padStart(2, '0')}`;

const slot = (number: number): string =>
  `<address type='pci' domain='0x0000' bus='0x00' ` +
  `slot='0x${number.toString(16).padStart(2, '0')}' function='0x0'/>`;

const hostAddress = (number: number): string =>
  `<address type='pci' domain='0x0000' bus='0x3b' slot='0x02' function='0x${number}'/>`;

/** The definition of a VM. */
export function vmXml(spec: SimVmSpec, index: number): string {
  const vfs = spec.vfs ?? [0];
  const profiles = vfs.map((_, at) => `<h:vnic mac='${macOf(index, at + 1)}' profile='prod-vf'/>`).join('');
  const passthrough = vfs.map((number, at) => {
    const type = spec.pool
      ? `type='network'`
      : `type='hostdev' managed='${spec.managed === false ? 'no' : 'yes'}'`;
    const source = spec.pool ? `<source network='${POOL}'/>` : `<source>${hostAddress(number)}</source>`;
    const alias = spec.userAliases === false ? '' : `<alias name='${aliasOf(at)}'/>`;
    return (
      `<interface ${type}><mac address='${macOf(index, at + 1)}'/>${source}` +
      `<vlan><tag id='${VLAN}'/></vlan>${alias}<rom bar='off'/>` +
      `${slot(8 + at)}</interface>`
    );
  });
  const disk =
    spec.disk === undefined
      ? ''
      : `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${spec.disk}'/>` +
        `<target dev='vda' bus='virtio'/></disk>`;
  return (
    `<domain type='kvm'><name>${spec.name}</name><uuid>${uuidOf(index)}</uuid>` +
    `<metadata><h:vnics xmlns:h='https://handover.dev/xmlns/domain/1'>${profiles}</h:vnics></metadata>` +
    `<memory unit='GiB'>1</memory><vcpu>1</vcpu>` +
    `<os><type arch='x86_64' machine='pc-i440fx-10.0'>hvm</type></os><features><acpi/></features>` +
    `<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>${disk}` +
    `<interface type='bridge'><mac address='${macOf(index, spec.oneMac ? 1 : 0)}'/><source bridge='prod'/>` +
    `<model type='virtio'/><alias name='ua-standby'/>${slot(3)}</interface>${passthrough.join('')}` +
    `<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>`
  );
}

/** Somebody else's domain that holds VFs. */
export function strangerXml(number: number, vfs: readonly number[]): string {
  const devices = vfs.map(
    (vf) =>
      `<hostdev mode='subsystem' type='pci' managed='yes'><source>${hostAddress(vf)}</source></hostdev>`,
  );
  return (
    `<domain type='kvm'><name>stranger-${number}</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>` +
    `<os><type arch='x86_64' machine='pc-i440fx-10.0'>hvm</type></os>` +
    `<devices>${devices.join('')}</devices></domain>`
  );
}

/** The first `hostCount` hosts of the demo, with one PF of `vfCount` VFs each, and these VMs. */
export function simVmFleet(options: {
  readonly vms: readonly SimVmSpec[];
  readonly hostCount: number;
  readonly vfCount: number;
}): SimFleetSpec {
  const hosts = DEMO_FLEET.hosts.slice(0, options.hostCount).map((host) => ({
    ...host,
    pfs: host.pfs.slice(0, 1).map((pf) => ({ ...pf, vfCount: options.vfCount })),
    pools: options.vms.some((vm) => vm.pool)
      ? [{ name: POOL, uuid: host.uuid.replace('0c0ffee0', '0c0ffee1'), pf: 'ens1f0' }]
      : [],
  }));
  const domains = options.vms.map((spec, index): SimDomainSpec => {
    const guest: SimGuestSpec = {
      unplug: PROMPT_UNPLUG,
      agent: true,
      memoryUsedMiB: 900,
      dirtyMiBps: 40,
      address: `198.51.100.${index + 10}/24`,
      ...spec.guest,
    };
    return {
      host: spec.host ?? 'host-a',
      xml: vmXml(spec, index),
      // A VF that libvirt does not manage is bound by hand first, so such a VM is started by the world.
      running: spec.managed !== false,
      autostart: spec.autostart ?? false,
      guest,
    };
  });
  return { hosts, domains };
}
