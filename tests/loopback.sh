#!/usr/bin/env bash
# Runs a command as the recordings were made: in a network of its own that has nothing but loopback, and with the host names that
# they use. So every port of a recording is free, and addresses elsewhere are unreachable rather than somebody's.
# Loopback also has 198.18.0.0/24 (a network for tests, RFC 2544), since a real API server takes no 127.0.0.0/8 as an endpoint.
# Usage: tests/loopback.sh COMMAND...
set -euo pipefail

new=(unshare --mount --net)
[ "$(id -u)" = 0 ] || new+=(--map-root-user)
if ! "${new[@]}" true 2>/dev/null; then
  echo "tests: no namespaces of our own here (unshare); tests that need names or ports of a recording fail" >&2
  exec "$@"
fi

hosts=$(mktemp)
trap 'rm -f "$hosts"' EXIT
printf '%s\n' '127.0.0.1 localhost localhost4' '::1 localhost' '127.0.0.3 host-without-port' >"$hosts"
"${new[@]}" sh -c 'mount --bind "$0" /etc/hosts && ip link set lo up && ip address add 198.18.0.1/24 dev lo && exec "$@"' "$hosts" "$@"
