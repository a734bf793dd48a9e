#!/bin/busybox sh
# PID 1 of the lab's guest: bond0 active-backup over a VF (primary) and a virtio standby. Kernel command line:
#   lab.name=g1 lab.ip=10.78.0.101   lab.root=/dev/vda: live on that disk instead of in memory
#   lab.manager=networkmanager|networkd|ifupdown: the disk has a Debian, which is booted under that manager
#   lab.agent=off: no guest agent; lab.agent=refusing: one that runs no commands and opens no files
# Milestones go to the serial console as "GUEST <uptime> <text>"; "GUEST ... ready" is the last.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ ! -e /proc/cmdline ]; then
  mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
fi
ip() { /usr/sbin/ip "$@"; }  # Debian's busybox shell runs its own applets before PATH
milestone() { read -r uptime _ </proc/uptime; echo "GUEST $uptime $*" | tee /dev/ttyS0 >/dev/kmsg; }
argument() { grep -o "lab\.$1=[^ ]*" /proc/cmdline | cut -d= -f2; }

root=$(argument root)
if [ -n "$root" ] && [ ! -e /disk-root ]; then
  milestone "disk $root"
  modprobe -a virtio_blk ext4
  for _ in $(seq 50); do [ -b "$root" ] && break; sleep 0.2; done
  mkdir -p /mnt; mount -t ext4 "$root" /mnt || { milestone "FAILED to mount $root"; exec sh; }
  manager=$(argument manager); next=/init
  if [ -n "$manager" ]; then /lab/manager.sh "$manager" /mnt; next=/sbin/init; fi
  mount --move /dev /mnt/dev; mount --move /proc /mnt/proc; mount --move /sys /mnt/sys
  exec switch_root /mnt $next
fi

milestone init
mount -t tmpfs tmpfs /run; mkdir -p /dev/pts /var; mount -t devpts devpts /dev/pts
[ -e /var/run ] || ln -s /run /var/run
hostname "$(argument name)"
modprobe -a virtio_net igbvf virtio_console; modprobe bonding max_bonds=0
ip link set lo up
# Announced five times in a second after every change of the active leg: one announcement can be lost.
ip link add bond0 type bond mode active-backup miimon 100 fail_over_mac active \
  num_grat_arp 5 peer_notify_delay 200
ip link set bond0 up
ip addr add "$(argument ip)/24" dev bond0
# Every NIC, present or plugged later, goes through the same script.
/bin/uevent /lab/nic.sh </dev/null >/dev/null 2>&1 &
for device in /sys/class/net/*; do
  [ -e "$device/device" ] && ACTION=add SUBSYSTEM=net INTERFACE=${device##*/} /lab/nic.sh
done

mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
  ln -sf "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done
files=guest-file-open,guest-file-close,guest-file-read,guest-file-write,guest-file-seek,guest-file-flush
case $(argument agent) in
  off) ;;
  refusing) qemu-ga -d -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 \
    -b "$files,guest-exec,guest-exec-status";;
  *) qemu-ga -d -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0;;
esac
# Port 7000: answers with the SHA-256 of everything it received, for the transfer test.
nc -ll -p 7000 -e sha256sum </dev/null >/dev/null 2>&1 &
milestone ready
while :; do setsid cttyhack sh </dev/ttyS0 >/dev/ttyS0 2>&1; sleep 1; done
