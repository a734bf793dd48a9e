# What a NIC is: known by its driver and its permanent MAC address, whatever its name.
# shellcheck shell=sh

driver_of() {
  _link=$(readlink "$sys/$1/device/driver" 2>/dev/null) && printf '%s' "${_link##*/}"
}

# vf: a PCI function whose driver is not virtio's; standby: virtio. Nothing for a bond, VLAN or bridge, which
# may have the same address.
role_of() {
  case $(driver_of "$1") in
    virtio_net) printf standby ;;
    '') ;;
    *)
      _bus=$(readlink "$sys/$1/device/subsystem" 2>/dev/null)
      [ "${_bus##*/}" = pci ] && printf vf
      ;;
  esac
}

# The permanent one: in a bond a leg may carry the bond's.
mac_of() {
  _mac=$(line_of "$sys/$1/bonding_slave/perm_hwaddr")
  lower "${_mac:-$(line_of "$sys/$1/address")}"
}

# nic_of vf|standby MAC: its name; nothing if it is not there.
nic_of() {
  for _path in "$sys"/*; do
    _nic=${_path##*/}
    [ "$(role_of "$_nic")" = "$1" ] && [ "$(mac_of "$_nic")" = "$2" ] || continue
    printf '%s' "$_nic"
    return 0
  done
  return 1
}

# nics_of vf|standby: all of them, one a line, as NAME MAC, in the order of their names.
nics_of() {
  for _path in "$sys"/*; do
    _nic=${_path##*/}
    [ "$(role_of "$_nic")" = "$1" ] && printf '%s %s\n' "$_nic" "$(mac_of "$_nic")"
  done
  return 0
}

has_link() {
  case $(line_of "$sys/$1/bonding_slave/mii_status") in
    up) return 0 ;;
    '') [ "$(line_of "$sys/$1/carrier")" = 1 ] ;;
    *) return 1 ;;
  esac
}

master_of() {
  _link=$(readlink "$sys/$1/master" 2>/dev/null) && printf '%s' "${_link##*/}"
}

paired_by_kernel() {
  printf '%s' "the kernel pairs $1 by itself (virtio's STANDBY feature, <teaming> in its definition)"
}

# The virtio STANDBY feature (bit 62): the kernel's net_failover pairs this NIC by itself.
is_failover_standby() {
  _features=$(line_of "$sys/$1/device/features")
  case $_features in
    ??????????????????????????????????????????????????????????????1*) return 0 ;;
    *) return 1 ;;
  esac
}
