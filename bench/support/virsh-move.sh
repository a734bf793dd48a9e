#!/bin/sh
# The reference of bench migration: what an operator without Handover would write. Moves a guest that owns one
# VF: detach, wait, migrate peer to peer, attach.
#
# Arguments: ssh command of the source, ssh command of the target (over connections that are open already, so
# that no command pays for a key exchange), the target's name for the source's libvirtd, the guest, the alias
# of its VF, the interface as the source has it, the interface as the target shall have it.
set -eu
source=$1 target=$2 target_name=$3 guest=$4 alias=$5 leaving=$6 coming=$7

vf=/tmp/vf.xml

printf %s "$leaving" | $source "cat >$vf && virsh -q detach-device $guest $vf --live --config"
while $source "virsh -q dumpxml $guest" | grep -q "$alias"; do sleep 0.2; done
$source "virsh -q migrate --live --p2p --persistent --undefinesource $guest \
  qemu+ssh://root@$target_name/system"
printf %s "$coming" | $target "cat >$vf && virsh -q attach-device $guest $vf --live --config"
