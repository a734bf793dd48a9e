#!/bin/bash
# Runs libvirtd (and, if asked, sshd) so that it sees directories of its own instead of the machine's. Must be
# run in mount and UTS namespaces of its own (unshare -m -u): nothing mounted here is seen outside, and all
# goes with the last process. Arguments: directory with run lib etc log cache, host name, root of an unpacked
# libvirt or "-", sshd config or "-", then the arguments of libvirtd.
set -eu
dir=$1 name=$2 root=$3 sshd=$4
shift 4

hostname "$name"
for pair in run:/run/libvirt lib:/var/lib/libvirt etc:/etc/libvirt \
  log:/var/log/libvirt cache:/var/cache/libvirt; do
  mkdir -p "${pair#*:}"
  mount --bind "$dir/${pair%%:*}" "${pair#*:}"
done
libvirtd=/usr/sbin/libvirtd
if [ "$root" != - ]; then
  libvirtd=$root/usr/sbin/libvirtd
  # Plugins, helpers and the CPU map are found by absolute path.
  for path in /usr/lib/x86_64-linux-gnu/libvirt /usr/lib/libvirt /usr/share/libvirt; do
    mkdir -p "$path"
    mount --bind "$root$path" "$path"
  done
  export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
fi
if [ "$sshd" != - ]; then
  mkdir -p /run/sshd
  env -u LD_LIBRARY_PATH /usr/sbin/sshd -f "$sshd" -o PidFile="$dir/sshd.pid"
fi
exec "$libvirtd" "$@"
