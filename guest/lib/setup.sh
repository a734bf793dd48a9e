# The verbs `setup` and `remove`. Both may be cut off anywhere and run again: what is written is listed first,
# and what was written and not applied yet is marked.
# shellcheck shell=sh disable=SC2154

MANAGERS='networkmanager networkd ifupdown'

setup_verb() {
  _given=
  if [ $# -gt 0 ]; then
    [ "$1" = --manager ] && [ $# -eq 2 ] || refuse 'usage: handover-guest setup [--manager NAME]'
    is_among "$2" "$MANAGERS" || refuse "there is no manager \"$2\"; there are $MANAGERS"
    _given=$2
  fi
  need_root
  _found=
  read_pairs || { find_pairs; _found=yes; }
  _before=$(manager_of_state)
  manager=${_given:-$_before}
  [ -n "$manager" ] || find_manager
  [ -z "$_before" ] || [ "$_before" = "$manager" ] ||
    refuse "the bonds are set up under $_before; call \"handover-guest remove\" first"
  prefix=$manager
  [ "$manager" != networkmanager ] || prefix=nm
  "${prefix}_check"
  each_pair check_pair
  lock
  # An ssh connection over a leg may end here; this goes on.
  trap '' HUP PIPE
  if [ -f "$state/pairs" ] && [ "$(cat "$state/pairs")" != "$pairs" ]; then
    take_down
  fi
  if [ -n "$_found" ]; then save_pairs; fi
  printf '%s\n' "$manager" >"$state/manager"
  printf '%s\n' "$pairs" >"$state/pairs"
  stop_cloud_init
  [ "$manager" != ifupdown ] || ifupdown_release "$(legs_present)"
  each_pair "${prefix}_write" ||
    fail 'not everything could be written; nothing was changed in the running system'
  if ! is_live; then
    say "written for $manager; takes effect when the guest starts"
  elif [ ! -e "$state/changed" ] && all_bonds_work; then
    each_pair tune_bond
    say 'everything is set up already'
  else
    drop_idle_bonds
    "${prefix}_apply" && all_bonds_work || fail "not every bond works; look at \"handover-guest status\""
    rm -f "$state/changed"
    each_pair say_bond
  fi
}

save_pairs() {
  mkdir -p "$config"
  {
    printf '# BOND VF_MAC STANDBY_MAC [mtu=N] [address=CIDR,...|auto] [gateway=IP,...] [dns=IP,...]\n'
    each_pair save_pair
  } >"$state/found.$$" && mv "$state/found.$$" "$pairs_file"
}

save_pair() {
  printf '%s %s %s' "$bond" "$vf_mac" "$standby_mac"
  [ "$mtu" = - ] || printf ' mtu=%s' "$mtu"
  [ "$address" = - ] || printf ' address=%s' "$address"
  [ "$gateway" = - ] || printf ' gateway=%s' "$gateway"
  [ "$dns" = - ] || printf ' dns=%s' "$dns"
  printf '\n'
}

# The manager that has the standby of the first pair now.
find_manager() {
  is_live || refuse 'say --manager: nothing runs here that could be asked'
  _standby=${pairs#* * }
  _standby=${_standby%% *}
  _nic=$(nic_of standby "$_standby") || refuse "there is no virtio NIC with the address $_standby"
  if nm_manages "$_nic"; then
    manager=networkmanager
  elif networkd_manages "$_nic"; then
    manager=networkd
  elif ifupdown_is_there; then
    manager=ifupdown
  else
    refuse "neither NetworkManager nor systemd-networkd nor ifupdown configures $_nic; say --manager"
  fi
}

# What makes a bond of this pair impossible is said before anything is touched.
check_pair() {
  is_live || return 0
  _nic=$(nic_of standby "$standby_mac") ||
    refuse "$bond: there is no virtio NIC with the address $standby_mac ($(one_line "$(nics_of standby)"))"
  ! is_failover_standby "$_nic" ||
    refuse "$bond: $(paired_by_kernel "$_nic"): take the <teaming> out, or use no bond"
  _vf=$(nic_of vf "$vf_mac") || {
    _vf=
    say "$bond: there is no VF with the address $vf_mac now; it is put in when it comes"
  }
  for _leg in $_nic $_vf; do
    case $(master_of "$_leg") in
      '' | "$bond") ;;
      *) refuse "$_leg is in $(master_of "$_leg") already; take that away first" ;;
    esac
  done
  if [ -e "$sys/$bond" ] && ! is_ours "$bond" && ! is_idle_bond "$bond"; then
    refuse "there is a device $bond already that is not of this kit: choose another name in $pairs_file"
  fi
  [ "$address" = - ] || return 0
  _static=$(static_addresses "$_nic" ${_vf:+"$_vf"})
  [ -z "$_static" ] || refuse "$_nic has the static address $_static and $bond would have none: \
write address=$_static gateway=... behind its pair in $pairs_file, or address=auto for DHCP"
}

is_ours() { grep -q "^$1 " "$state/pairs" 2>/dev/null; }

drop_idle_bonds() { each_pair drop_idle_bond; }
drop_idle_bond() {
  if is_idle_bond "$bond" && [ "$manager" != networkd ]; then ip link del "$bond"; fi
  return 0
}

all_bonds_work() { each_pair bond_works; }
bond_works() {
  is_bond "$bond" || return 1
  _nic=$(nic_of standby "$standby_mac") && [ "$(master_of "$_nic")" = "$bond" ] || return 1
  ! _nic=$(nic_of vf "$vf_mac") || [ "$(master_of "$_nic")" = "$bond" ]
}

say_bond() { say "$bond works, its active leg is $(active_of "$bond")"; }

stop_cloud_init() {
  cloud_init_configures || return 0
  write_file 644 "$CLOUD_INIT_FILE" <<'END'
# NICs of this guest are in a bond that cloud-init does not know.
network: {config: disabled}
END
}

remove_verb() {
  need_root
  if [ -z "$(manager_of_state)" ]; then
    say 'nothing is set up'
    return 0
  fi
  lock
  trap '' HUP PIPE
  take_down
  say 'the bonds are gone'
}

# Everything of `setup`, backwards, for the pairs that were set up.
take_down() {
  _wanted_pairs=$pairs
  _wanted_manager=${manager:-}
  read_known_pairs
  manager=$(manager_of_state)
  _prefix=$manager
  [ "$manager" != networkmanager ] || _prefix=nm
  _legs=$(legs_present)
  "${_prefix}_unapply"
  [ "$manager" != ifupdown ] || ifupdown_restore
  delete_files
  if is_live; then "${_prefix}_settle" "$_legs"; fi
  rm -f "$state/pairs" "$state/changed" "$state/manager"
  pairs=$_wanted_pairs
  manager=$_wanted_manager
}
