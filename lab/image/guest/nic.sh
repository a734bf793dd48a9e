#!/bin/busybox sh
# Called for every kernel event, with ACTION, SUBSYSTEM, INTERFACE set: puts each new NIC into bond0; a VF
# becomes the primary. Interfaces are named by PCI place, as udev does (enp<bus>s<slot>), so a name tells
# where a device sits.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
ip() { /usr/sbin/ip "$@"; }
[ "$SUBSYSTEM" = net ] && [ "$ACTION" = add ] || exit 0
driver=$(basename "$(readlink "/sys/class/net/$INTERFACE/device/driver")")
case $driver in
  virtio_net) place=$(basename "$(readlink -f "/sys/class/net/$INTERFACE/device/..")");;
  igbvf) place=$(basename "$(readlink -f "/sys/class/net/$INTERFACE/device")");;
  *) exit 0;;
esac
bus=${place#*:}; bus=${bus%%:*}; slot=${place##*:}; slot=${slot%%.*}
name="enp$((0x$bus))s$((0x$slot))"
ip link set "$INTERFACE" down
ip link set "$INTERFACE" name "$name"
ip link set "$name" master bond0
[ "$driver" = igbvf ] && echo "$name" >/sys/class/net/bond0/bonding/primary
ip link set "$name" up
read -r uptime _ </proc/uptime; echo "GUEST $uptime nic $name $driver" >/dev/kmsg
