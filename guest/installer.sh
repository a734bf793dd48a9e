#!/bin/sh
# Handover's guest kit in one file. See docs/operate/guest-kit.md.
#   sh handover-guest.sh install [--manager networkmanager|networkd|ifupdown]
#   sh handover-guest.sh uninstall
# install: puts the files in their places and makes the bonds; run again, it brings both up to date.
set -u

pairs=$(
  cat <<'END_OF_PAIRS'
@PAIRS@
END_OF_PAIRS
)

say() { printf 'handover-guest.sh: %s\n' "$*" >&2; }
usage() {
  say 'usage: sh handover-guest.sh install [--manager networkmanager|networkd|ifupdown] | uninstall'
  exit 2
}

# each_file COMMAND: with MODE and PATH, and the file's content on standard input.
each_file() {
@FILES@
}

put() {
  mkdir -p "${2%/*}" || exit 1
  fresh=${2%/*}/.handover-fresh
  cat >"$fresh" && chmod "$1" "$fresh" && mv -f "$fresh" "$2" && return
  say "can not write $2"
  exit 1
}

take() { rm -f "$2"; }

reload_udev() { command -v udevadm >/dev/null 2>&1 && udevadm control --reload; return 0; }

is_packaged() {
  command -v dpkg-query >/dev/null 2>&1 &&
    dpkg-query -W -f '${Status}' handover-guest 2>/dev/null | grep -q 'install ok installed'
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in install) ;; uninstall) [ $# -eq 0 ] || usage ;; *) usage ;; esac
[ "$(id -u)" = 0 ] || { say 'this needs root'; exit 2; }
if is_packaged; then
  say 'the package handover-guest is installed: use the program handover-guest, or remove the package first'
  exit 2
fi

if [ "$verb" = uninstall ]; then
  if [ -x /usr/sbin/handover-guest ]; then /usr/sbin/handover-guest remove || exit 1; fi
  each_file take
  # What people put there stays, with its folder.
  rm -f /etc/handover-guest/pairs
  for folder in /etc/handover-guest/hooks.d /etc/handover-guest /usr/lib/handover-guest \
    /var/lib/handover-guest; do
    rmdir "$folder" 2>/dev/null
  done
  reload_udev
  say 'uninstalled'
  exit 0
fi

each_file put
mkdir -p /etc/handover-guest/hooks.d
if [ -f /etc/handover-guest/pairs ]; then
  say 'going by /etc/handover-guest/pairs as it is'
elif [ -n "$pairs" ]; then
  printf '%s\n' "$pairs" | put 644 /etc/handover-guest/pairs
fi
reload_udev
exec /usr/sbin/handover-guest setup "$@"
