# The bond in the kernel: its options, its legs, its announcements. The same under every network manager.
# shellcheck shell=sh disable=SC2154

# Announcements after a change of the active leg, and the time between them: one alone can be lost.
ANNOUNCEMENTS=5
ANNOUNCEMENT_MS=200
MIIMON_MS=100
# How long a leg has had a link before it is used, as `UP_DELAY_MS` of the engine, which says why.
UP_DELAY_MS=1000
# A VF has its link sooner than that, or is not waited for.
VF_LINK_LIMIT_S=10

is_bond() { [ -d "$sys/$1/bonding" ]; }

# A bond that the module made when it was loaded, or that somebody left: nothing in it, and down.
is_idle_bond() {
  is_bond "$1" && [ -z "$(line_of "$sys/$1/bonding/slaves")" ] && [ "$(line_of "$sys/$1/operstate")" = down ]
}

active_of() { line_of "$sys/$1/bonding/active_slave"; }
primary_of() { line_of "$sys/$1/bonding/primary"; }

# Writes what is not so already; some kernels refuse some of them.
set_value() {
  [ -w "$1" ] || return 1
  [ "$(line_of "$1")" = "$2" ] || printf '%s\n' "$2" >"$1" 2>/dev/null
}

# tune_bond: what no network manager sets, for the pair at hand.
tune_bond() {
  is_bond "$bond" || return 0
  # Kernels before 5.3 have no delay, and announce every miimon.
  set_value "$sys/$bond/bonding/peer_notif_delay" $ANNOUNCEMENT_MS
  set_value "$sys/$bond/bonding/num_grat_arp" $ANNOUNCEMENTS
  # An address that is set again is announced.
  set_value "$root/proc/sys/net/ipv4/conf/$bond/arp_notify" 1
  set_value "$root/proc/sys/net/ipv6/conf/$bond/ndisc_notify" 1
  prefer_vf
}

# The VF is the primary, by the name it has now. The kernel takes the name of a NIC that is not in the bond
# yet, too.
prefer_vf() {
  is_bond "$bond" || return 0
  _vf=$(nic_of vf "$vf_mac") || return 0
  set_value "$sys/$bond/bonding/primary" "$_vf"
}

# make_bond: where no network manager does, for the pair at hand.
make_bond() {
  # Loading the module must not make a bond0 of another kind.
  has modprobe && modprobe bonding max_bonds=0 2>/dev/null
  if ! is_bond "$bond"; then
    ip link add "$bond" type bond mode active-backup miimon $MIIMON_MS updelay $UP_DELAY_MS \
      fail_over_mac "$(fail_over_mac)" primary_reselect always num_grat_arp $ANNOUNCEMENTS || return 1
  fi
  if same_mac; then ip link set dev "$bond" address "$vf_mac"; fi
  [ "$mtu" = - ] || ip link set dev "$bond" mtu "$mtu"
  tune_bond
  # Before it is up, so that no other address is made. Refused where router advertisements are not accepted.
  ip token set "$(ipv6_token)" dev "$bond" 2>/dev/null
  # The standby first: the bond has its address until the VF is there.
  add_legs
  ip link set dev "$bond" up
}

# ifupdown's DHCP clients ask with the address the bond has when they start, and lose the answer if the VF
# becomes active before it comes.
wait_for_vf() {
  same_mac && return 0
  _vf=$(nic_of vf "$vf_mac") || return 0
  _tries=0
  until [ "$(active_of "$bond")" = "$_vf" ] || [ $_tries -ge $VF_LINK_LIMIT_S ]; do
    _tries=$((_tries + 1))
    sleep 1
  done
  return 0
}

add_legs() {
  for _role in standby vf; do
    _wanted=$standby_mac
    [ "$_role" = standby ] || _wanted=$vf_mac
    _leg=$(nic_of "$_role" "$_wanted") || continue
    add_leg "$_leg"
  done
}

# add_leg NIC: into the bond of the pair at hand; twice does nothing.
add_leg() {
  [ "$(master_of "$1")" = "$bond" ] && return 0
  # What it had of its own would be a second way to the same network.
  ip addr flush dev "$1" scope global
  ip link set dev "$1" down
  ip link set dev "$1" master "$bond" && ip link set dev "$1" up
}

# wait_for_master NIC SECONDS
wait_for_master() {
  _left=$2
  until [ "$(master_of "$1")" = "$bond" ]; do
    [ "$_left" -gt 0 ] || return 1
    _left=$((_left - 1))
    sleep 1
  done
}

# --- arrived ---

# arrived_verb NAME: a NIC or a bond appeared. Does nothing before `setup`, and nothing twice.
arrived_verb() {
  _manager=$(manager_of_state)
  [ -n "$_manager" ] || return 0
  read_pairs || return 0
  arrived=$1
  each_pair take_arrived
}

take_arrived() {
  if [ "$arrived" = "$bond" ]; then
    # udev, which sets DEVPATH, calls while somebody makes it, and must not be kept waiting.
    if [ "$_manager" = ifupdown ] && [ -z "${DEVPATH:-}" ]; then
      make_bond && wait_for_vf
    else
      tune_bond
    fi
    return
  fi
  case $(role_of "$arrived") in
    vf) [ "$(mac_of "$arrived")" = "$vf_mac" ] || return 0 ;;
    standby) [ "$(mac_of "$arrived")" = "$standby_mac" ] || return 0 ;;
    *) return 0 ;;
  esac
  # networkd and NetworkManager put it into the bond themselves.
  prefer_vf
  if [ "$_manager" = ifupdown ] && is_bond "$bond"; then
    ifupdown_claim "$arrived"
    add_leg "$arrived"
  fi
  return 0
}

# --- announce ---

announce_verb() {
  need_root
  if [ $# -eq 1 ]; then
    is_interface_name "$1" && is_bond "$1" || refuse "there is no bond $1"
    announce_bond "$1"
    return
  fi
  read_pairs || refuse "$pairs_file is not there: run handover-guest setup, or name the bond"
  each_pair announce_pair
}

announce_pair() { if is_bond "$bond"; then announce_bond "$bond"; else say "$bond is not there"; fi; }

# Has every address of the bond and of what lies on it announced, several times.
announce_bond() {
  _active=$(active_of "$1")
  [ -n "$_active" ] || { say "$1 has no active leg: nothing can be announced"; return 1; }
  set_value "$root/proc/sys/net/ipv4/conf/$1/arp_notify" 1
  set_value "$root/proc/sys/net/ipv6/conf/$1/ndisc_notify" 1
  if [ "$(choice_of "$1")" = "$_active" ]; then
    # The bond chooses anew, the same leg, within one lock of the kernel, and announces as after any change:
    # gratuitous ARP and unsolicited NA for each address, VLANs included, num_grat_arp times.
    printf '\n' >"$sys/$1/bonding/active_slave" && return 0
  fi
  # The active leg is not the one the bond would choose (traffic was moved by hand), so it must not choose.
  _round=0
  while [ $_round -lt $ANNOUNCEMENTS ]; do
    probe_neighbours "$1"
    for _upper in $(uppers_of "$1"); do probe_neighbours "$_upper"; done
    # The address it has, set again: the kernel announces every IP address (arp_notify, ndisc_notify). Not
    # for a VLAN: it would stop following the address of its bond.
    ip link set dev "$1" address "$(line_of "$sys/$1/address")" || return 1
    _round=$((_round + 1))
    [ $_round -eq $ANNOUNCEMENTS ] || sleep 0.$ANNOUNCEMENT_MS 2>/dev/null || sleep 1
  done
}

# The leg the kernel would choose now (primary_reselect always): the primary if it has a link, else the only
# one that has; nothing if that is not certain.
choice_of() {
  _primary=$(primary_of "$1")
  _up=
  for _leg in $(line_of "$sys/$1/bonding/slaves"); do
    has_link "$_leg" || continue
    if [ "$_leg" = "$_primary" ]; then
      case $(line_of "$sys/$1/bonding/primary_reselect") in always*) printf '%s' "$_leg" ;; esac
      return 0
    fi
    _up=${_up:+$_up }$_leg
  done
  case $_up in *' '*) ;; *) printf '%s' "$_up" ;; esac
}

# Devices on top of a device (VLANs, bridges), and on top of these.
uppers_of() {
  for _path in "$sys/$1"/upper_*; do
    [ -e "$_path" ] || continue
    printf '%s\n' "${_path##*/upper_}"
    (uppers_of "${_path##*/upper_}")
  done
}

# Asks every neighbour it knows whether it is still there: each learns our address, and each switch on the
# way where we are.
probe_neighbours() {
  ip neigh show dev "$1" 2>/dev/null | while read -r _address _lladdr _mac _state; do
    [ "$_lladdr" = lladdr ] || continue
    case $_state in
      *PERMANENT* | *NOARP* | *FAILED*) continue ;;
    esac
    ip neigh change "$_address" lladdr "$_mac" dev "$1" nud probe 2>/dev/null
  done
}
