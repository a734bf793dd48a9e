# What all parts use: messages, places, files that are written whole, the list of what was written.
# shellcheck shell=sh disable=SC2034

# Everything is below $root: empty, except when an image is prepared or in tests.
root=${HANDOVER_GUEST_ROOT:-}
sys=$root/sys/class/net
config=$root/etc/handover-guest
pairs_file=$config/pairs
state=$root/var/lib/handover-guest
TAB=$(printf '\t')
NEWLINE='
'

say() { printf 'handover-guest: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
# Wrong usage or input: said before anything is touched.
refuse() { say "$*"; exit 2; }

no_more_arguments() { [ $# -eq 0 ] || refuse "\"$1\" is one argument too many"; }

need_root() {
  [ -n "$root" ] || [ "$(id -u)" = 0 ] || refuse 'this needs root'
}

# Nothing of the running system is asked or changed while an image is prepared.
is_live() { [ -z "$root" ] || [ -n "${HANDOVER_GUEST_LIVE:-}" ]; }

# busybox' shell would run its own `ip` first, which makes bonds without their options.
ip() {
  _old=$IFS
  IFS=:
  for _folder in $PATH; do
    [ -x "$_folder/ip" ] || continue
    case $(readlink -f "$_folder/ip") in */busybox) continue ;; esac
    IFS=$_old
    "$_folder/ip" "$@"
    return
  done
  IFS=$_old
  say 'iproute2 is not installed'
  return 127
}

has() { command -v "$1" >/dev/null 2>&1; }

# First line of a file; nothing if it can not be read.
line_of() {
  _line=
  # shellcheck disable=SC2162
  [ -r "$1" ] && read -r _line <"$1" 2>/dev/null
  printf '%s' "$_line"
}

lower() { printf '%s' "$1" | tr 'A-Z' 'a-z'; }

# manager: what the bonds were made under; empty before `setup`.
manager_of_state() { line_of "$state/manager"; }

# write_file MODE PATH <content: whole or not at all, and listed beforehand, so that `remove` finds it
# whatever interrupts this. Notes that something is to be applied if it is new or differs.
write_file() {
  mkdir -p "${2%/*}" "$state" || return 1
  grep -qxF "$2" "$state/files" 2>/dev/null || printf '%s\n' "$2" >>"$state/files"
  # Its name must be none that a network manager reads.
  _fresh=${2%/*}/.handover-fresh
  { cat >"$_fresh" && chmod "$1" "$_fresh"; } || return 1
  if is_same_file "$_fresh" "$2"; then
    rm -f "$_fresh"
  else
    : >"$state/changed"
    mv -f "$_fresh" "$2"
  fi
}

is_same_file() { [ -f "$2" ] && [ "$(cat "$1")" = "$(cat "$2")" ]; }

# Deletes what was listed.
delete_files() {
  [ -f "$state/files" ] || return 0
  while read -r _file; do
    rm -f "$_file" "${_file%/*}/.handover-fresh"
  done <"$state/files"
  rm -f "$state/files"
}

# One `setup` or `remove` at a time. A lock whose owner died is taken over.
lock() {
  mkdir -p "$state"
  _lock=$state/lock
  _tries=0
  until mkdir "$_lock" 2>/dev/null; do
    _owner=$(line_of "$_lock/pid")
    if [ -z "$_owner" ] || ! kill -0 "$_owner" 2>/dev/null; then
      # Between mkdir and pid there is a moment without an owner.
      [ "$_tries" -ge 2 ] && rm -rf "$_lock"
    elif [ "$_tries" -ge 60 ]; then
      fail "process $_owner has been at work for a minute; try again when it has ended"
    fi
    _tries=$((_tries + 1))
    sleep 1
  done
  printf '%s\n' "$$" >"$_lock/pid"
  trap 'rm -rf "$state/lock"' EXIT
  trap 'exit 1' INT TERM
}

# A JSON string.
json() {
  printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
}
json_or_null() { if [ -n "$1" ]; then json "$1"; else printf null; fi; }
json_bool() { if "$@"; then printf true; else printf false; fi; }
