# The pairs of this guest: read from /etc/handover-guest/pairs and checked, or found.
#
# $pairs has a line for each: BOND VF_MAC STANDBY_MAC MTU ADDRESS GATEWAY DNS, with "-" for what was not said.
# shellcheck shell=sh disable=SC2034,SC2154
pairs=

# each_pair COMMAND...: runs it with bond, vf_mac, standby_mac, mtu, address, gateway, dns set.
each_pair() {
  while read -r bond vf_mac standby_mac mtu address gateway dns <&3; do
    [ -n "$bond" ] || continue
    "$@" </dev/null || return 1
  done 3<<END
$pairs
END
}

same_mac() { [ "$vf_mac" = "$standby_mac" ]; }

# A VF's own address is enforced by its PF: the bond takes the address of the active leg. Equal ones need no
# change, and none is made.
fail_over_mac() { if same_mac; then printf none; else printf active; fi; }

# The interface identifier of the bond's IPv6 address: EUI-64 of the standby's MAC address, whichever leg is
# active. Left to itself the kernel and networkd would make a new address of every new MAC address.
ipv6_token() {
  IFS=: read -r _a _b _c _d _e _f <<END
$standby_mac
END
  printf '::%x:%x:%x:%x' $(((0x$_a ^ 2) << 8 | 0x$_b)) $((0x$_c << 8 | 0xff)) $((0xfe00 | 0x$_d)) \
    $((0x$_e << 8 | 0x$_f))
}

# A number of this pair for DHCP, which must not change with the MAC address.
dhcp_iaid() {
  IFS=: read -r _a _b _c _d _e _f <<END
$standby_mac
END
  printf '%d' $((0x$_c << 24 | 0x$_d << 16 | 0x$_e << 8 | 0x$_f))
}

# words "a,b,c": with spaces; family 4|6 WORDS: those of one family.
words() { printf '%s' "$1" | tr ',' ' '; }
family() {
  _found=
  for _word in $2; do
    case $1$_word in
      4*:*) ;;
      6*:* | 4*.*) _found=${_found:+$_found }$_word ;;
    esac
  done
  printf '%s' "$_found"
}
# addresses_of 4|6 and the like, of the pair at hand; nothing = automatic.
addresses_of() { case $address in - | auto) ;; *) family "$1" "$(words "$address")" ;; esac; }
gateway_of() { [ "$gateway" = - ] || family "$1" "$(words "$gateway")"; }
dns_of() { [ "$dns" = - ] || family "$1" "$(words "$dns")"; }

# Reads $pairs_file into $pairs; 1 if there is none. Refuses what is wrong in it, naming the line.
read_pairs() {
  pairs=
  [ -f "$pairs_file" ] || return 1
  _number=0
  while read -r _text || [ -n "$_text" ]; do
    _number=$((_number + 1))
    _text=${_text%%#*}
    # shellcheck disable=SC2086
    set -- $_text
    [ $# -eq 0 ] && continue
    _where="$pairs_file, line $_number"
    add_pair "$@"
  done <"$pairs_file"
  [ -n "$pairs" ] || refuse "$pairs_file names no pair: a line is BOND VF_MAC STANDBY_MAC"
}

add_pair() {
  [ $# -ge 3 ] ||
    refuse "$_where: a line is BOND VF_MAC STANDBY_MAC [mtu=] [address=] [gateway=] [dns=]"
  _bond=$1
  is_interface_name "$_bond" || refuse "$_where: \"$_bond\" can not be the name of a bond"
  _vf=$(lower "$2")
  _standby=$(lower "$3")
  is_mac "$_vf" || refuse "$_where: \"$2\" is no MAC address"
  is_mac "$_standby" || refuse "$_where: \"$3\" is no MAC address"
  shift 3
  _mtu=- _address=- _gateway=- _dns=-
  for _option in "$@"; do
    _value=${_option#*=}
    case $_option in
      mtu=*) is_number_within "$_value" 68 65535 || refuse "$_where: mtu is 68 to 65535"; _mtu=$_value ;;
      address=auto) _address=auto ;;
      address=*) all_are is_cidr "$_value" "$_where: address"; _address=$_value ;;
      gateway=*) all_are is_ip "$_value" "$_where: gateway"; _gateway=$_value ;;
      dns=*) all_are is_ip "$_value" "$_where: dns"; _dns=$_value ;;
      *) refuse "$_where: \"$_option\" is unknown; there are mtu=, address=, gateway= and dns=" ;;
    esac
  done
  case $_address$_gateway in
    -[!-]* | auto[!-]*) refuse "$_where: a gateway goes with an address=" ;;
  esac
  while read -r _b _v _s _rest; do
    [ -n "$_b" ] || continue
    [ "$_b" != "$_bond" ] || refuse "$_where: $_bond is named twice"
    [ "$_v" != "$_vf" ] || refuse "$_where: $_vf is in two pairs"
    [ "$_s" != "$_standby" ] || refuse "$_where: $_standby is in two pairs"
  done <<END
$pairs
END
  pairs=${pairs:+$pairs$NEWLINE}"$_bond $_vf $_standby $_mtu $_address $_gateway $_dns"
}

is_interface_name() {
  case $1 in
    . | .. | *[!A-Za-z0-9_.-]* | '' | -*) return 1 ;;
  esac
  [ "${#1}" -le 15 ]
}

# In small letters; no group's, whose second digit is odd.
is_mac() {
  case $1 in
    *[!0-9a-f:]* | ?[13579bdf]* | 00:00:00:00:00:00) return 1 ;;
    ??:??:??:??:??:??) ;;
    *) return 1 ;;
  esac
  case $1 in *::* | :* | ?:* | *:?:* | *:? | *:) return 1 ;; esac
}

is_number_within() {
  case $1 in '' | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

is_ip() {
  case $1 in
    *:*)
      case $1 in *[!0-9A-Fa-f:.]* | *:::*) return 1 ;; esac
      ;;
    *.*.*.*)
      case $1 in *[!0-9.]* | *..* | .* | *. | *.*.*.*.*) return 1 ;; esac
      _rest=$1.
      while [ -n "$_rest" ]; do
        [ "${_rest%%.*}" -le 255 ] || return 1
        _rest=${_rest#*.}
      done
      ;;
    *) return 1 ;;
  esac
}

is_cidr() {
  case $1 in */*) ;; *) return 1 ;; esac
  _most=32
  case $1 in *:*) _most=128 ;; esac
  is_ip "${1%/*}" && is_number_within "${1##*/}" 1 "$_most"
}

# all_are TEST "a,b" WHAT
all_are() {
  for _each in $(words "$2"); do
    "$1" "$_each" || refuse "$3: \"$_each\" can not be used"
  done
  [ -n "$(words "$2")" ] || refuse "$3 has no value"
}

# Finds the pairs of a guest that has no pairs file, into $pairs: equal addresses first, else the one VF and
# the one virtio NIC there are. Refuses, saying what is there, when that leaves a choice.
find_pairs() {
  pairs=
  _vfs=$(nics_of vf)
  _standbys=$(nics_of standby)
  while read -r _name _mac; do
    [ -n "$_name" ] || continue
    _other=$(nic_of standby "$_mac") || continue
    found_pair "$_mac" "$_mac" "$_name" "$_other"
  done <<END
$_vfs
END
  [ -n "$pairs" ] && return 0
  _vf_count=$(count_lines "$_vfs")
  _standby_count=$(count_lines "$_standbys")
  [ "$_vf_count" = 1 ] && [ "$_standby_count" = 1 ] || refuse "which NICs belong together can not be seen: \
there are VFs ($(one_line "$_vfs")) and virtio NICs ($(one_line "$_standbys")); \
write lines \"BOND VF_MAC STANDBY_MAC\" into $pairs_file"
  found_pair "${_vfs#* }" "${_standbys#* }" "${_vfs%% *}" "${_standbys%% *}"
}

count_lines() { if [ -z "$1" ]; then printf 0; else printf '%s\n' "$1" | grep -c .; fi; }
one_line() { if [ -z "$1" ]; then printf none; else printf '%s' "$1" | tr '\n' ','; fi; }

# found_pair VF_MAC STANDBY_MAC VF STANDBY: under the first free name, with the static addresses they have.
found_pair() {
  _n=0
  while [ -e "$sys/bond$_n" ] && ! is_idle_bond "bond$_n" || printf '%s\n' "$pairs" | grep -q "^bond$_n "; do
    _n=$((_n + 1))
  done
  _where='what was found'
  _address=$(static_addresses "$4" "$3")
  _gateway=
  [ -z "$_address" ] || _gateway=$(static_gateways "$_address" "$4" "$3")
  add_pair "bond$_n" "$1" "$2" ${_address:+"address=$_address"} ${_gateway:+"gateway=$_gateway"}
}

# Addresses of these NICs that no lease or router will end, with commas.
static_addresses() {
  is_live || return 0
  _list=
  for _nic in "$@"; do
    _addresses=$(ip -o addr show dev "$_nic" scope global 2>/dev/null | grep -vE ' (dynamic|mngtmpaddr) ' |
      sed -n 's/.* inet6\{0,1\} \([0-9a-f.:/]*\) .*/\1/p')
    for _each in $_addresses; do
      _list=${_list:+$_list,}$_each
    done
  done
  printf '%s' "$_list"
}

# static_gateways ADDRESSES NIC...: of the families of these addresses, the first there is, with commas.
static_gateways() {
  _of=$(words "$1")
  shift
  _list=
  for _family in 4 6; do
    [ -n "$(family $_family "$_of")" ] || continue
    for _nic in "$@"; do
      _route=$(ip -$_family route show default dev "$_nic" 2>/dev/null |
        sed -n 's/.*via \([0-9a-f.:]*\).*/\1/p;q')
      [ -z "$_route" ] || { _list=${_list:+$_list,}$_route; break; }
    done
  done
  printf '%s' "$_list"
}
