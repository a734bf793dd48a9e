# NetworkManager 1.40 or newer: three profiles for each pair, which it activates by itself when a NIC appears.
# shellcheck shell=sh disable=SC2154

# Above the profiles that are there already, whose priority is 0 unless somebody said otherwise.
NM_PRIORITY=100

nm_runs() {
  is_live && has nmcli && [ "$(nmcli -t -f RUNNING general 2>/dev/null)" = running ]
}

# nm_manages NIC: not left to somebody else.
nm_manages() {
  nm_runs || return 1
  _state=$(nmcli -g GENERAL.STATE device show "$1" 2>/dev/null)
  case $_state in '' | 0* | 10*) [ "${_state%% *}" -ge 20 ] 2>/dev/null ;; *) return 0 ;; esac
}

nm_check() {
  is_live || return 0
  nm_runs || refuse 'NetworkManager does not run'
  _version=$(nmcli --version | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p')
  [ "${_version%%.*}" -gt 1 ] || [ "${_version#*.}" -ge 40 ] ||
    refuse "NetworkManager $_version is too old: 1.40 is needed"
}

# Made of the VF's address, so that a second run writes the same: nm_uuid bond|vf|standby.
nm_uuid() {
  case $1 in bond) _kind=0 ;; vf) _kind=1 ;; standby) _kind=2 ;; esac
  printf '68616e64-6f76-4572-a00%s-%s' "$_kind" "$(printf '%s' "$vf_mac" | tr -d :)"
}

nm_path() { printf '%s' "$root/etc/NetworkManager/system-connections/handover-$bond${1:+-$1}.nmconnection"; }

nm_write() {
  nm_bond | write_file 600 "$(nm_path '')" &&
    nm_port standby "$standby_mac" 'virtio_net;' | write_file 600 "$(nm_path standby)" &&
    nm_port vf "$vf_mac" '!virtio_net;' | write_file 600 "$(nm_path vf)"
}

# The primary is set by `arrived`, because NetworkManager wants a name and a VF may come back with another.
nm_bond() {
  cat <<END
[connection]
id=handover-$bond
uuid=$(nm_uuid bond)
type=bond
interface-name=$bond
autoconnect-priority=$NM_PRIORITY
autoconnect-slaves=1

[bond]
mode=active-backup
miimon=$MIIMON_MS
updelay=$UP_DELAY_MS
fail_over_mac=$(fail_over_mac)
primary_reselect=always
num_grat_arp=$ANNOUNCEMENTS
num_unsol_na=$ANNOUNCEMENTS
peer_notif_delay=$ANNOUNCEMENT_MS

END
  printf '[ethernet]\n'
  # Else NetworkManager may invent one, which a VF whose address is enforced could not take.
  if same_mac; then printf 'cloned-mac-address=%s\n' "$vf_mac"; fi
  [ "$mtu" = - ] || printf 'mtu=%s\n' "$mtu"
  printf '\n[ipv4]\n'
  nm_family 4
  # The MAC address of the bond changes; what a lease is bound to must not.
  printf 'dhcp-client-id=duid\n\n[ipv6]\n'
  nm_family 6
  printf 'addr-gen-mode=eui64\ntoken=%s\n' "$(ipv6_token)"
}

nm_family() {
  _addresses=$(addresses_of "$1")
  if [ -z "$_addresses" ]; then
    printf 'method=auto\nmay-fail=true\n'
  else
    printf 'method=manual\n'
    _number=1
    for _each in $_addresses; do
      printf 'address%s=%s\n' $_number "$_each"
      _number=$((_number + 1))
    done
    _gateway=$(gateway_of "$1")
    [ -z "$_gateway" ] || printf 'gateway=%s\n' "$_gateway"
  fi
  _dns=$(dns_of "$1")
  [ -z "$_dns" ] || printf 'dns=%s;\n' "$(printf '%s' "$_dns" | tr ' ' ';')"
}

# nm_port ROLE MAC DRIVER: by driver and MAC address. The keys of 1.40, which later versions take as well.
nm_port() {
  cat <<END
[connection]
id=handover-$bond-$1
uuid=$(nm_uuid "$1")
type=ethernet
master=$bond
slave-type=bond
autoconnect-priority=$NM_PRIORITY
autoconnect-retries=0

[ethernet]
mac-address=$(printf '%s' "$2" | tr 'a-f' 'A-F')

[match]
driver=$3
END
}

nm_apply() {
  nmcli connection reload || return 1
  each_pair nm_activate
}

nm_activate() {
  # It may have begun by itself: begun again, it would be taken down first.
  [ -n "$(nmcli -g GENERAL.STATE connection show uuid "$(nm_uuid bond)" 2>/dev/null)" ] ||
    nmcli --wait 60 connection up uuid "$(nm_uuid bond)" >/dev/null ||
    say "$bond is not up yet; NetworkManager goes on trying"
  for _role in standby vf; do
    _wanted=$standby_mac
    [ "$_role" = standby ] || _wanted=$vf_mac
    _nic=$(nic_of "$_role" "$_wanted") || continue
    wait_for_master "$_nic" 10 ||
      nmcli --wait 30 connection up uuid "$(nm_uuid "$_role")" ifname "$_nic" >/dev/null ||
      say "$_nic is not in $bond yet; NetworkManager goes on trying"
  done
  tune_bond
}

# What had the NICs before takes them again by itself.
nm_unapply() { nm_runs || return 0; each_pair nm_deactivate; }
nm_deactivate() {
  nmcli --wait 30 connection delete uuid "$(nm_uuid bond)" uuid "$(nm_uuid vf)" \
    uuid "$(nm_uuid standby)" >/dev/null 2>&1 || :
}
nm_settle() {
  nm_runs || return 0
  nmcli connection reload
  # Taken away from a profile that was active, a NIC may wait for a word. "connect" would make it a profile.
  for _nic in $1; do
    nmcli device set "$_nic" autoconnect yes >/dev/null 2>&1 || :
  done
}
