#!/bin/sh
# Says "GUEST <uptime> ready" on the serial console once this guest has its static address; the unit that
# starts it waits for the agent. Without an address it says so after two minutes.
address=$(grep -o 'lab\.ip=[^ ]*' /proc/cmdline | cut -d= -f2)
for _ in $(seq 240); do
  case $(ip -o addr show scope global) in *" $address/"*) said=ready; break ;; esac
  sleep 0.5
done
read -r uptime _ </proc/uptime
# A line of its own: systemd leaves the last one open.
printf "\nGUEST %s %s\n" "$uptime" "${said:-FAILED: nothing has the address $address}" >/dev/ttyS0
