#!/bin/busybox sh
# manager.sh MANAGER ROOT: makes the Debian below ROOT this guest, with its network under networkmanager,
# networkd or ifupdown, as a user of that would have configured it: the standby with a static address. The
# other managers are masked. Called by init.sh, which then goes there. Machine `pc` only: the name that udev
# will give the standby is made of its slot.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
argument() { grep -o "lab\.$1=[^ ]*" /proc/cmdline | cut -d= -f2; }
mask() { for unit; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done; }

manager=$1; root=$2
name=$(argument name); address=$(argument ip)/$(argument prefix)
case $address in *:*) family=6 ifupdown_family=inet6 ;; *) family=4 ifupdown_family=inet ;; esac
echo "$name" >"$root/etc/hostname"
echo "$name" | md5sum | cut -d' ' -f1 >"$root/etc/machine-id"
modprobe virtio_net
device=$(ls -d /sys/bus/virtio/drivers/virtio_net/virtio*/net/*)
mac=$(cat "$device/address")
place=$(basename "$(readlink -f "$device/device/..")"); slot=${place##*:}; slot=${slot%%.*}
interfaces=$root/etc/network/interfaces
cat >"$interfaces" <<END
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback
END
case $manager in
  networkmanager)
    profile=$root/etc/NetworkManager/system-connections/lan.nmconnection
    cat >"$profile" <<END
[connection]
id=lan
type=ethernet

[ethernet]
mac-address=$mac

[ipv$family]
method=manual
address1=$address
END
    chmod 600 "$profile"
    mask networking.service
    ;;
  networkd)
    printf '[Match]\nPermanentMACAddress=%s\n\n[Network]\nAddress=%s\n' "$mac" "$address" \
      >"$root/etc/systemd/network/20-lan.network"
    ln -s /usr/lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
    mask NetworkManager.service networking.service
    ;;
  ifupdown)
    nic=ens$((0x$slot))
    printf '\nallow-hotplug %s\niface %s %s static\n    address %s\n' $nic $nic $ifupdown_family "$address" \
      >>"$interfaces"
    mask NetworkManager.service
    ;;
esac
