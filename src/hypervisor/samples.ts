/**
 * XML as real hosts print it, for the tests of this folder. Captured from libvirt 11.3 on the lab, then put
 * together.
 */

/** A running i440fx guest: standby on br0 and a VF, profile in its metadata. */
export const PC_LIVE = `<domain type='kvm' id='3'>
  <name>web-1</name>
  <uuid>9E570000-0000-4000-8000-000000000001</uuid>
  <metadata>
    <handover:vnics xmlns:handover="https://handover.dev/xmlns/domain/1">
        <handover:vnic mac="52:54:00:01:01:02" profile="prod-vf"/>
      </handover:vnics>
    <other:thing xmlns:other='urn:other'><vnic mac='52:54:00:01:01:01' profile='no'/></other:thing>
  </metadata>
  <memory unit='KiB'>163840</memory>
  <currentMemory unit='KiB'>131072</currentMemory>
  <vcpu placement='static' cpuset='2-3'>4</vcpu>
  <numatune>
    <memory mode='strict' nodeset='0-1'/>
  </numatune>
  <os>
    <type arch='x86_64' machine='pc-i440fx-10.0'>hvm</type>
  </os>
  <cpu mode='host-passthrough' check='none' migratable='on'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none'/>
      <source file='/srv/shared/web-1.qcow2' index='1'/>
      <target dev='vda' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu'/>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='rbd' name='pool/image'/>
      <target dev='vdb' bus='virtio'/>
      <shareable/>
    </disk>
    <controller type='pci' index='0' model='pci-root'/>
    <interface type='bridge'>
      <mac address='52:54:00:01:01:01'/>
      <source bridge='br0'/>
      <target dev='vnet2'/>
      <model type='virtio'/>
      <driver name='vhost'/>
      <alias name='ua-standby'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/>
    </interface>
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:01:01:02'/>
      <driver name='vfio'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x2'/>
      </source>
      <vlan>
        <tag id='42'/>
      </vlan>
      <alias name='ua-vf0'/>
      <rom enabled='no'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x08' function='0x0'/>
    </interface>
    <interface type='hostdev' managed='no'>
      <mac address='52:54:00:01:01:03'/>
      <driver name='vfio'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x4'/>
      </source>
      <teaming type='transient' persistent='ua-standby'/>
      <alias name='hostdev1'/>
    </interface>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source>
        <address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/>
      </source>
      <alias name='hostdev2'/>
    </hostdev>
    <hostdev mode='subsystem' type='usb'>
      <source>
        <vendor id='0x1234'/>
      </source>
    </hostdev>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>
    </channel>
  </devices>
</domain>`;

/** The same guest's definition, its VF from a pool, with things Handover does not know. */
export const PC_DEFINITION = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web-1</name>
  <uuid>9e570000-0000-4000-8000-000000000001</uuid>
  <description>a &lt;b&gt; &amp; c</description>
  <memory unit='KiB'>163840</memory>
  <vcpu placement='static'>4</vcpu>
  <os>
    <type arch='x86_64' machine='pc-i440fx-10.0'>hvm</type>
  </os>
  <devices>
    <!-- kept -->
    <interface type='bridge'>
      <mac address='52:54:00:01:01:01'/>
      <source bridge='br0'/>
      <model type='virtio'/>
      <alias name='ua-standby'/>
    </interface>
    <interface type='hostdev' managed='yes' trustGuestRxFilters='yes'>
      <mac address='52:54:00:01:01:02'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x2'/>
      </source>
      <vlan>
        <tag id='42'/>
      </vlan>
      <alias name='ua-vf0'/>
      <rom enabled='no'/>
      <acpi index='7'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x08' function='0x0'/>
      <future attribute='1'>text</future>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:01:01:04'/>
      <source network='vf-pool'/>
      <alias name='ua-vf1'/>
    </interface>
    <graphics type='vnc' port='-1' passwd='s3cr&apos;t'/>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-foo'/>
  </qemu:commandline>
</domain>`;

/**
 * A q35 guest: root ports 1 to 4 (4 not hot-pluggable), a switch with ports, and devices behind 1, 2 and 5.
 */
export const Q35_DEFINITION = `<domain type='kvm'>
  <name>q</name>
  <uuid>9e570000-0000-4000-8000-000000000002</uuid>
  <memory unit='GiB'>2</memory>
  <vcpu current='2'>8</vcpu>
  <os><type arch='x86_64' machine='pc-q35-10.0'>hvm</type></os>
  <devices>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>
    </controller>
    <controller type='pci' index='2' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x1'/>
    </controller>
    <controller type='pci' index='3' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x2'/>
    </controller>
    <controller type='pci' index='4' model='pcie-root-port'>
      <target chassis='4' hotplug='off'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x3'/>
    </controller>
    <controller type='pci' index='5' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x4'/>
    </controller>
    <controller type='pci' index='6' model='pcie-switch-upstream-port'>
      <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
    </controller>
    <controller type='pci' index='7' model='pcie-switch-downstream-port'>
      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
    </controller>
    <controller type='virtio-serial' index='0'>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </controller>
    <interface type='network'>
      <mac address='52:54:00:02:02:02'/>
      <source network='vf-pool'/>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
    </interface>
  </devices>
</domain>`;

/** An emulated 82576 with two VFs; `members` are further functions of its IOMMU group. */
export const PF_DEVICE = `<device>
  <name>pci_0000_01_00_0</name>
  <path>/sys/devices/pci0000:00/0000:00:04.0/0000:01:00.0</path>
  <parent>pci_0000_00_04_0</parent>
  <driver>
    <name>igb</name>
  </driver>
  <capability type='pci'>
    <class>0x020000</class>
    <domain>0</domain>
    <bus>1</bus>
    <slot>0</slot>
    <function>0</function>
    <product id='0x10c9'>82576 Gigabit Network Connection</product>
    <vendor id='0x8086'>Intel Corporation</vendor>
    <capability type='virt_functions' maxCount='7'>
      <address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/>
      <address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/>
    </capability>
    <iommuGroup number='7'>
      <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </iommuGroup>
    <numa node='1'/>
  </capability>
</device>`;

/** A VF of it; function 0 or 2, alone in its group or with `others`. */
export const vfDevice = (
  fn: 0 | 2,
  driver: string | null,
  others: readonly string[] = [],
): string => `<device>
  <name>pci_0000_01_10_${fn}</name>
  <parent>pci_0000_00_04_0</parent>
  ${driver === null ? '' : `<driver><name>${driver}</name></driver>`}
  <capability type='pci'>
    <class>0x020000</class>
    <domain>0</domain>
    <bus>1</bus>
    <slot>16</slot>
    <function>${fn}</function>
    <product id='0x10ca'>82576 Virtual Function</product>
    <vendor id='0x8086'>Intel Corporation</vendor>
    <capability type='phys_function'>
      <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </capability>
    <iommuGroup number='${8 + fn}'>
      <address domain='0x0000' bus='0x01' slot='0x10' function='0x${fn}'/>
      ${others.join('')}
    </iommuGroup>
  </capability>
</device>`;

/** A PCIe root port. */
export const PORT_DEVICE = `<device>
  <name>pci_0000_00_04_0</name>
  <parent>computer</parent>
  <driver><name>pcieport</name></driver>
  <capability type='pci'>
    <class>0x060400</class>
    <domain>0</domain>
    <bus>0</bus>
    <slot>4</slot>
    <function>0</function>
  </capability>
</device>`;

/** A network device under `parent`. */
export const netDevice = (name: string, parent: string, state = 'up'): string => `<device>
  <name>net_${name}_52_54_00_78_00_01</name>
  <parent>${parent}</parent>
  <capability type='net'>
    <interface>${name}</interface>
    <address>52:54:00:78:00:01</address>
    <link speed='1000' state='${state}'/>
    <feature name='rx'/>
    <capability type='80203'/>
  </capability>
</device>`;
