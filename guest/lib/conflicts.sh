# What would fight over the legs: found in files and in the kernel, for `status` and before `setup`.
# shellcheck shell=sh disable=SC2154

CLOUD_INIT_FILE=$root/etc/cloud/cloud.cfg.d/99-handover.cfg

# each_conflict: a line for each, as KIND<tab>WHERE<tab>TEXT. Needs $pairs and $manager.
each_conflict() {
  if cloud_init_configures; then
    conflict cloud-init /etc/cloud \
      "cloud-init configures the network at each boot; \"handover-guest setup\" stops it"
  fi
  each_pair conflicts_of_pair
}

conflict() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }

cloud_init_configures() {
  [ -d "$root/etc/cloud" ] && [ ! -e "$root/etc/cloud/cloud-init.disabled" ] || return 1
  ! grep -qsE '^[[:space:]]*network:[[:space:]]*\{[[:space:]]*config:[[:space:]]*disabled' \
    "$root"/etc/cloud/cloud.cfg "$root"/etc/cloud/cloud.cfg.d/*.cfg
}

conflicts_of_pair() {
  _standby_nic=$(nic_of standby "$standby_mac")
  _vf_nic=$(nic_of vf "$vf_mac")
  if [ -n "$_standby_nic" ] && is_failover_standby "$_standby_nic"; then
    conflict net_failover "$_standby_nic" "$(paired_by_kernel "$_standby_nic"): take the <teaming> out"
  fi
  for _nic in $_standby_nic $_vf_nic; do
    _master=$(master_of "$_nic")
    case $_master in
      '' | "$bond") ;;
      *) conflict other-bond "$_nic" "$_nic is in $_master, so it can not be in $bond" ;;
    esac
  done
  _macs="$standby_mac"
  same_mac || _macs="$_macs $vf_mac"
  for _mac in $_macs; do conflicts_by_mac "$_mac"; done
  case $manager in
    networkmanager) nm_conflicts "$_standby_nic" "$_vf_nic" ;;
    networkd) networkd_conflicts "$_standby_nic" "$_vf_nic" ;;
    ifupdown) ifupdown_conflicts "$_standby_nic" "$_vf_nic" ;;
  esac
}

# What udev does by MAC address alone hits the bond and both legs, where these are equal.
conflicts_by_mac() {
  for _path in "$root"/etc/udev/rules.d/*.rules "$root"/run/udev/rules.d/*.rules; do
    [ -f "$_path" ] && grep -v '^[[:space:]]*#' "$_path" | grep -qiF "$1" &&
      conflict udev "$_path" "names or changes NICs by the MAC address $1, which the bond may have, too"
  done
  for _path in "$root"/etc/systemd/network/*.link "$root"/run/systemd/network/*.link; do
    [ -f "$_path" ] && grep -qiE "^(Permanent)?MACAddress=.*$1" "$_path" && ! grep -q '^Driver=' "$_path" &&
      conflict link-file "$_path" "names NICs by the MAC address $1 without a Driver=; both legs may have it"
  done
  return 0
}

# matches_leg FILE KEYS NAME...: a line KEY=... that has a MAC address of the pair or one of the names.
matches_leg() {
  _file=$1
  _keys=$2
  shift 2
  for _value in "$standby_mac" "$vf_mac" "$@"; do
    grep -iE "^($_keys)=" "$_file" | grep -qiE "[=[:space:];]$_value([[:space:];]|\$)" && return 0
  done
  return 1
}

# Profiles that NetworkManager would rather use than ours.
nm_conflicts() {
  for _path in "$root"/etc/NetworkManager/system-connections/* \
    "$root"/run/NetworkManager/system-connections/*; do
    case ${_path##*/} in handover-*) continue ;; esac
    [ -f "$_path" ] || continue
    _priority=$(sed -n 's/^autoconnect-priority=//p' "$_path")
    [ "${_priority:-0}" -ge "$NM_PRIORITY" ] 2>/dev/null || continue
    # shellcheck disable=SC2086
    matches_leg "$_path" 'mac-address|interface-name' $1 $2 &&
      conflict profile "$_path" \
        "is for a leg of $bond, with the autoconnect-priority $_priority: make it less than $NM_PRIORITY"
  done
  return 0
}

# Files that networkd would use rather than ours, which is the order of their names.
networkd_conflicts() {
  for _path in "$root"/etc/systemd/network/*.network "$root"/run/systemd/network/*.network; do
    [ -f "$_path" ] || continue
    case ${_path##*/} in
      0[0-4]*) ;;
      *) continue ;;
    esac
    # shellcheck disable=SC2086
    matches_leg "$_path" 'MACAddress|PermanentMACAddress|Name' $1 $2 && ! grep -q '^Driver=' "$_path" &&
      conflict network-file "$_path" \
        "is for a leg of $bond and comes before $NETWORKD_ORDER-handover-$bond: rename it"
  done
  return 0
}

ifupdown_conflicts() {
  for _path in $(ifupdown_files); do
    for _nic in "$@"; do
      [ -n "$_nic" ] && names_nic "$_nic" "$_path" &&
        conflict stanza "$_path" "configures $_nic, a leg of $bond; \"handover-guest setup\" comments it out"
    done
  done
  return 0
}
