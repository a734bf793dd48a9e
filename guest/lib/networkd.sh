# systemd-networkd: a .netdev for the bond, a .network for it and for each leg. It puts a VF that comes back
# into the bond, as the primary, by itself.
# shellcheck shell=sh disable=SC2154

# Before what netplan and cloud-init generate: the first file that matches is used.
NETWORKD_ORDER=05

networkd_runs() {
  is_live && has networkctl && [ -e "$root/run/systemd/netif/state" ]
}

# networkd_manages NIC: has a .network for it.
networkd_manages() {
  networkd_runs || return 1
  _index=$(line_of "$sys/$1/ifindex")
  case $(grep '^ADMIN_STATE=' "$root/run/systemd/netif/links/$_index" 2>/dev/null) in
    '' | *=unmanaged) return 1 ;;
  esac
}

networkd_check() {
  is_live || return 0
  has networkctl || refuse 'systemd-networkd is not installed'
  _version=$(networkctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p')
  [ "${_version:-0}" -ge 250 ] || refuse "systemd $_version is too old: 250 is needed"
}

networkd_path() { printf '%s' "$root/etc/systemd/network/$NETWORKD_ORDER-handover-$bond$1"; }

networkd_write() {
  networkd_netdev | write_file 644 "$(networkd_path .netdev)" &&
    networkd_network | write_file 644 "$(networkd_path .network)" &&
    networkd_leg virtio_net "$standby_mac" | write_file 644 "$(networkd_path -standby.network)" &&
    { networkd_leg '!virtio_net' "$vf_mac"; printf 'PrimarySlave=yes\n'; } |
    write_file 644 "$(networkd_path -vf.network)"
}

networkd_netdev() {
  printf '[NetDev]\nName=%s\nKind=bond\n' "$bond"
  [ "$mtu" = - ] || printf 'MTUBytes=%s\n' "$mtu"
  # Without it networkd invents one, which a VF whose address is enforced could not take.
  if same_mac; then printf 'MACAddress=%s\n' "$vf_mac"; fi
  cat <<END

[Bond]
Mode=active-backup
MIIMonitorSec=${MIIMON_MS}ms
UpDelaySec=${UP_DELAY_MS}ms
FailOverMACPolicy=$(fail_over_mac)
PrimaryReselectPolicy=always
GratuitousARP=$ANNOUNCEMENTS
END
}

networkd_network() {
  _v4=$(addresses_of 4)
  _v6=$(addresses_of 6)
  printf '[Match]\nName=%s\nKind=bond\n\n' "$bond"
  [ "$mtu" = - ] || printf '[Link]\nMTUBytes=%s\n\n' "$mtu"
  printf '[Network]\n'
  case ${_v4:+4}${_v6:+6} in
    4) printf 'DHCP=ipv6\n' ;;
    6) printf 'DHCP=ipv4\n' ;;
    46) printf 'DHCP=no\n' ;;
    *) printf 'DHCP=yes\n' ;;
  esac
  if [ -n "$_v6" ]; then printf 'IPv6AcceptRA=no\n'; else printf 'IPv6AcceptRA=yes\n'; fi
  # At a new MAC address networkd asks DHCP anew; the address stays meanwhile.
  printf 'LinkLocalAddressing=ipv6\nKeepConfiguration=dhcp\n'
  for _each in $_v4 $_v6; do printf 'Address=%s\n' "$_each"; done
  for _each in $(gateway_of 4) $(gateway_of 6); do printf 'Gateway=%s\n' "$_each"; done
  for _each in $(dns_of 4) $(dns_of 6); do printf 'DNS=%s\n' "$_each"; done
  # What leases and addresses are bound to must not change with the MAC address.
  cat <<END

[DHCPv4]
ClientIdentifier=duid
IAID=$(dhcp_iaid)
RequestBroadcast=yes

[DHCPv6]
IAID=$(dhcp_iaid)

[IPv6AcceptRA]
Token=static:$(ipv6_token)
END
}

# networkd_leg DRIVER MAC: by driver and permanent MAC address; the bond and its VLANs have no such.
networkd_leg() {
  cat <<END
[Match]
Driver=$1
PermanentMACAddress=$2

[Link]
RequiredForOnline=no

[Network]
Bond=$bond
END
}

networkd_apply() {
  networkctl reload || return 1
  each_pair networkd_join
}

# A leg with addresses from before is taken in by a new look at it.
networkd_join() {
  for _role in standby vf; do
    _wanted=$standby_mac
    [ "$_role" = standby ] || _wanted=$vf_mac
    _nic=$(nic_of "$_role" "$_wanted") || continue
    wait_for_master "$_nic" 3 || { networkctl reconfigure "$_nic"; wait_for_master "$_nic" 20; } ||
      say "$_nic is not in $bond yet: see networkctl status $_nic"
  done
  tune_bond
}

# networkd does not delete what it made.
networkd_unapply() { is_live || return 0; each_pair networkd_delete; }
networkd_delete() { if is_bond "$bond"; then ip link del "$bond"; fi; }
networkd_settle() {
  networkd_runs || return 0
  networkctl reload
  for _nic in $1; do networkctl reconfigure "$_nic" 2>/dev/null || :; done
}
