# The verb `status`: pairs, bonds, legs and conflicts as one JSON document. Changes nothing.
# shellcheck shell=sh disable=SC2154

status_verb() {
  read_known_pairs
  manager=$(manager_of_state)
  status_document ''
}

# The pairs as they were set up; before that as they are written; else none.
read_known_pairs() {
  pairs=
  if [ -f "$state/pairs" ]; then
    pairs=$(cat "$state/pairs")
  else
    read_pairs || :
  fi
}

# status_document EVENT: with an "event" if there is one.
status_document() {
  printf '{"version":%s,' "$(json "$VERSION")"
  [ -z "$1" ] || printf '"event":%s,' "$(json "$1")"
  printf '"manager":%s,"pairs":[' "$(json_or_null "$manager")"
  _comma=
  each_pair status_pair
  printf '],"conflicts":['
  _comma=
  each_conflict | while IFS=$TAB read -r _kind _at _text; do
    printf '%s{"kind":%s,"where":%s,"text":%s}' "$_comma" "$(json "$_kind")" \
      "$(json "${_at#"$root"}")" "$(json "$_text")"
    _comma=,
  done
  printf ']}\n'
}

status_pair() {
  printf '%s{"bond":%s,"present":%s,' "$_comma" "$(json "$bond")" "$(json_bool is_bond "$bond")"
  _comma=,
  _mode=$(line_of "$sys/$bond/bonding/mode")
  _policy=$(line_of "$sys/$bond/bonding/fail_over_mac")
  printf '"mode":%s,"failOverMac":%s,' "$(json_or_null "${_mode% *}")" "$(json_or_null "${_policy% *}")"
  printf '"active":%s,"primary":%s,' "$(json_or_null "$(active_of "$bond")")" \
    "$(json_or_null "$(primary_of "$bond")")"
  printf '"link":%s,"mac":%s,' "$(json_bool has_link "$bond")" \
    "$(json_or_null "$(line_of "$sys/$bond/address")")"
  printf '"mtu":%s,"legs":[' "$(number_or_null "$(line_of "$sys/$bond/mtu")")"
  status_leg vf "$vf_mac"
  printf ,
  status_leg standby "$standby_mac"
  printf ']}'
}

number_or_null() { case $1 in '' | *[!0-9]*) printf null ;; *) printf '%s' "$1" ;; esac; }

status_leg() {
  _leg=$(nic_of "$1" "$2")
  printf '{"role":"%s","mac":"%s","name":%s,"driver":%s,' "$1" "$2" "$(json_or_null "$_leg")" \
    "$(json_or_null "${_leg:+$(driver_of "$_leg")}")"
  printf '"inBond":%s,"link":%s,' "$(json_bool is_leg "$_leg")" "$(json_bool has_link "${_leg:-none}")"
  printf '"active":%s,"primary":%s}' "$(json_bool is_same "$_leg" "$(active_of "$bond")")" \
    "$(json_bool is_same "$_leg" "$(primary_of "$bond")")"
}

is_leg() { [ -n "$1" ] && [ "$(master_of "$1")" = "$bond" ]; }
is_same() { [ -n "$1" ] && [ "$1" = "$2" ]; }
