#!/bin/bash
# PID 1 of a lab host: no systemd, just what libvirt needs. Configured by the kernel command line:
#   lab.host=a lab.n=1 lab.vfs=2
# Milestones go to the serial console as "LAB <uptime> <text>"; the orchestrator waits for "LAB ... ready".
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mountpoint -q /proc || mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/sshd /run/dbus /run/libvirt /run/rpc_pipefs
mount -t cgroup2 cgroup2 /sys/fs/cgroup

milestone() { read -r uptime _ </proc/uptime; echo "LAB $uptime $*" | tee /dev/ttyS0 >/dev/kmsg; }
argument() { grep -o "lab\.$1=[^ ]*" /proc/cmdline | cut -d= -f2; }
milestone init
letter=$(argument host); number=$(argument n)

# What differs between the hosts: name, ssh host key, TLS certificates.
hostname "host$letter"; echo "host$letter" >/etc/hostname
printf '%032x\n' "$((0xabc0 + number))" >/etc/machine-id
cp -a "/lab/host-$letter/." /

ip link set lo up
/usr/lib/systemd/systemd-udevd --daemon 2>/dev/null
udevadm trigger --type=devices --action=add -s net -s pci -s misc &
modprobe -a virtio_net igb
modprobe -a kvm-amd vfio-pci vfio_iommu_type1 bridge tun vhost_net nfsd nfsv4 2>/dev/null &
modules=$!
/usr/sbin/sshd

# The NICs, told apart by MAC: mgmt, up0 (uplink of br0), pf0 (the SR-IOV port).
for device in /sys/class/net/*; do
  case $(cat "$device/address") in
    52:54:00:77:*) ip link set "${device##*/}" name mgmt;;
    52:54:00:79:*) ip link set "${device##*/}" name up0;;
    52:54:00:78:*) ip link set "${device##*/}" name pf0;;
  esac
done
ip addr add "10.77.0.$((10 + number))/24" dev mgmt; ip link set mgmt up
milestone network

# VFs are for guests only: igbvf must not take them in the host.
echo 0 >/sys/class/net/pf0/device/sriov_drivers_autoprobe
echo "$(argument vfs)" >/sys/class/net/pf0/device/sriov_numvfs
ip link set pf0 up
# The standby path has an uplink of its own: QEMU's igb misroutes unicast of a promiscuous PF once a VF is up.
modprobe bridge; ip link add br0 type bridge forward_delay 0
ip link set up0 up; ip link set up0 master br0; ip link set br0 up
ip addr add "10.78.0.$((10 + number))/24" dev br0

wait $modules
# Shared storage: host a exports /srv/export over NFS 4; both hosts mount it at /srv/shared when asked.
mkdir -p /srv/shared
if [ "$letter" = a ]; then
  mount -t nfsd nfsd /proc/fs/nfsd
  # No client is left from before a boot: the wait for their reclaims would only cost time.
  echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime
  exportfs -a
  rpc.nfsd --no-nfs-version 3 --no-udp 4
  rpc.mountd --no-nfs-version 3
fi

udevadm settle -t 20
/usr/sbin/virtlogd -d
/usr/sbin/libvirtd -d --listen
for _ in $(seq 300); do virsh -q -c qemu:///system version >/dev/null 2>&1 && break; sleep 0.2; done
milestone ready
while :; do setsid -c bash -l <>/dev/ttyS0 >&0 2>&1; sleep 1; done
