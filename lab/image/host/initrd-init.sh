#!/bin/busybox sh
# First program of a lab host: mount the disk, go on with its /lab/init.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod "$module"; done
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vda ] && break; /bin/busybox sleep 0.2; done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /mnt
exec /bin/busybox switch_root /mnt /lab/init
