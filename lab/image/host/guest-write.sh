#!/bin/bash
# guest-write DOMAIN PATH: writes standard input into that file of the guest, through qemu-guest-agent.
set -o pipefail
domain=$1; path=$2
agent() { virsh -q qemu-agent-command --timeout 30 "$domain" "$1"; }
handle=$(agent '{"execute":"guest-file-open","arguments":{"path":"'"$path"'","mode":"w"}}' |
  grep -o '"return":[0-9]*' | cut -d: -f2) || exit 1
# Each line is whole in itself, and short enough for an argument.
base64 -w 98304 | while read -r piece; do
  agent '{"execute":"guest-file-write","arguments":{"handle":'"$handle"',"buf-b64":"'"$piece"'"}}' || exit 1
done >/dev/null
written=$?
agent '{"execute":"guest-file-close","arguments":{"handle":'"$handle"'}}' >/dev/null && exit $written
