# ifupdown (Debian's /etc/network/interfaces): a stanza for the bond, whose legs `arrived` puts in. What the
# legs had of their own is commented out, and comes back with `remove`.
# shellcheck shell=sh disable=SC2154

MARK='#handover# '
# Before a line of ours in the place of a marked one.
ADDED='#handover: the next line is what is left of the one above'

ifupdown_is_there() { has ifup && [ -f "$root/etc/network/interfaces" ]; }

ifupdown_check() {
  [ -f "$root/etc/network/interfaces" ] || refuse '/etc/network/interfaces is not there'
  is_live && ! has ifup && refuse 'ifupdown is not installed'
  grep -qE '^[[:space:]]*(source|source-directory)[[:space:]]+(/etc/network/)?interfaces\.d' \
    "$root/etc/network/interfaces" ||
    refuse '/etc/network/interfaces does not read interfaces.d: add "source /etc/network/interfaces.d/*"'
}

ifupdown_path() { printf '%s' "$root/etc/network/interfaces.d/handover-$bond"; }

ifupdown_write() { ifupdown_stanza | write_file 644 "$(ifupdown_path)"; }

# IPv6 first, so that a guest without DHCPv4 has it at once.
ifupdown_stanza() {
  printf 'auto %s\n' "$bond"
  _v6=$(addresses_of 6)
  if [ -n "$_v6" ]; then
    ifupdown_static inet6 6 "$_v6"
  else
    cat <<END
iface $bond inet6 auto
    pre-up /usr/sbin/handover-guest arrived $bond
END
    ifupdown_dns 6
  fi
  _v4=$(addresses_of 4)
  if [ -n "$_v4" ]; then
    ifupdown_static inet 4 "$_v4"
  elif ! same_mac && only_dhcpcd; then
    ifupdown_dhcpcd
    ifupdown_dns 4
  else
    printf 'iface %s inet dhcp\n    pre-up /usr/sbin/handover-guest arrived %s\n' "$bond" "$bond"
    ifupdown_dns 4
  fi
}

# dhcpcd is what ifupdown calls, and it takes the bond's announcements with a new MAC address for those of a
# stranger who claims the address, and gives it up. It does not without ARP (-A) and without an old lease.
# Its client id is that of the standby alone.
ifupdown_dhcpcd() {
  cat <<END
iface $bond inet manual
    pre-up /usr/sbin/handover-guest arrived $bond
    up rm -f /var/lib/dhcpcd/$bond.lease
    up dhcpcd -4 -A -J -I 01:$standby_mac $bond
    down dhcpcd -4 -k $bond
END
}

only_dhcpcd() {
  is_installed dhcpcd && ! is_installed dhclient && ! is_installed udhcpc
}

is_installed() {
  for _folder in sbin usr/sbin bin usr/bin; do
    [ -x "$root/$_folder/$1" ] && return 0
  done
  return 1
}

# ifupdown_static inet|inet6 4|6 ADDRESSES: one stanza each.
ifupdown_static() {
  _gateway=$(gateway_of "$2")
  for _each in $3; do
    printf 'iface %s %s static\n    pre-up /usr/sbin/handover-guest arrived %s\n    address %s\n' \
      "$bond" "$1" "$bond" "$_each"
    [ -z "$_gateway" ] || printf '    gateway %s\n' "$_gateway"
    [ -z "$_gateway" ] || ifupdown_dns "$2"
    _gateway=
  done
}

ifupdown_dns() {
  _dns=$(dns_of "$1")
  [ -z "$_dns" ] || printf '    dns-nameservers %s\n' "$_dns"
}

# All files in which stanzas may be, but ours.
ifupdown_files() {
  for _path in "$root/etc/network/interfaces" "$root"/etc/network/interfaces.d/*; do
    case $_path in
      */interfaces.d/handover-* | *.dpkg-* | *~) ;;
      *) if [ -f "$_path" ]; then printf '%s\n' "$_path"; fi ;;
    esac
  done
}

legs_present() { each_pair print_legs; }
print_legs() {
  nic_of standby "$standby_mac" && printf '\n'
  nic_of vf "$vf_mac" && printf '\n'
  return 0
}

# names_nic NIC FILE: it has a stanza there, or is in a list.
names_nic() {
  grep -qE "^[[:space:]]*(auto|allow-[a-z]+|iface)[[:space:]]([^#]*[[:space:]])?$1([[:space:]]|\$)" "$2"
}

# A leg that comes under a name that has a stanza of its own: it must not get addresses. Where ifupdown was
# quicker, this is true from the next time on.
ifupdown_claim() {
  for _path in $(ifupdown_files); do
    if names_nic "$1" "$_path"; then
      ifupdown_release "$1"
      return
    fi
  done
}

# Marks what the legs have in the files; they are taken down under what they had.
ifupdown_release() {
  for _leg in $1; do
    if is_live && [ -n "$(ifquery --state "$_leg" 2>/dev/null)" ]; then
      ifdown --force "$_leg" >/dev/null 2>&1 </dev/null || :
    fi
  done
  for _path in $(ifupdown_files); do
    ifupdown_mark "$1" <"$_path" >"$state/marked.$$" || fail "can not write to $state"
    # The file stays the one it is: its rights, and what links to it.
    is_same_file "$state/marked.$$" "$_path" || cat "$state/marked.$$" >"$_path"
    rm -f "$state/marked.$$"
  done
}

# ifupdown_mark "LEG ...": from standard input to standard output.
ifupdown_mark() {
  _inside=
  while IFS= read -r _text || [ -n "$_text" ]; do
    # shellcheck disable=SC2086
    set -f && set -- "$1" $_text && set +f
    case ${2:-} in
      iface | mapping)
        _inside=
        is_among "${3:-}" "$1" && [ "$2" = iface ] && _inside=yes
        ;;
      auto | allow-* | no-auto-down | no-scripts | source | source-directory | template | rename)
        _inside=
        ifupdown_mark_list "$_text" "$@" && continue
        ;;
    esac
    case $_inside$_text in
      yes | "yes$MARK"*) printf '%s\n' "$_text" ;;
      yes*) printf '%s%s\n' "$MARK" "$_text" ;;
      *) printf '%s\n' "$_text" ;;
    esac
    set -- "$1"
  done
}

# ifupdown_mark_list TEXT LEGS WORD NAME...: a list that names a leg, without it; 1 if it names none.
ifupdown_mark_list() {
  _whole=$1
  _legs=$2
  _word=$3
  shift 3
  case $_word in auto | allow-*) ;; *) return 1 ;; esac
  _left=
  _named=
  for _name in "$@"; do
    if is_among "$_name" "$_legs"; then _named=yes; else _left="$_left $_name"; fi
  done
  [ -n "$_named" ] || return 1
  printf '%s%s\n' "$MARK" "$_whole"
  [ -z "$_left" ] || printf '%s\n%s%s\n' "$ADDED" "$_word" "$_left"
}

is_among() { case " $(printf '%s' "$2" | tr '\n' ' ') " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# As it was before: marks off, our lines out.
ifupdown_restore() {
  for _path in $(ifupdown_files); do
    grep -qF "$MARK" "$_path" || continue
    _skip=
    while IFS= read -r _text || [ -n "$_text" ]; do
      if [ -n "$_skip" ]; then _skip=; continue; fi
      case $_text in
        "$ADDED") _skip=yes ;;
        "$MARK"*) printf '%s\n' "${_text#"$MARK"}" ;;
        *) printf '%s\n' "$_text" ;;
      esac
    done <"$_path" >"$state/restored.$$"
    cat "$state/restored.$$" >"$_path"
    rm -f "$state/restored.$$"
  done
}

ifupdown_apply() { each_pair ifupdown_up; }
ifupdown_up() {
  [ -n "$(ifquery --state "$bond" 2>/dev/null)" ] && ifdown --force "$bond" >/dev/null 2>&1
  ifup "$bond" >/dev/null 2>&1 || say "ifup $bond failed: see the journal, or call it by hand"
  is_bond "$bond"
}

ifupdown_unapply() { is_live || return 0; each_pair ifupdown_down; }
ifupdown_down() {
  ifdown --force "$bond" >/dev/null 2>&1 || :
  if is_bond "$bond"; then ip link del "$bond"; fi
}
ifupdown_settle() {
  is_live || return 0
  ifup -a >/dev/null 2>&1 </dev/null || :
  for _nic in $1; do ifup --allow=hotplug "$_nic" >/dev/null 2>&1 </dev/null || :; done
}
