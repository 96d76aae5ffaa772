#!/usr/bin/env bash
# Runs a command where a Docker engine answers: the one that is there, or else one of our own, in a network and a folder of its own that
# are gone afterwards. Without either the command runs all the same; the tests that need an engine say so when they are skipped.
# Usage: tests/docker.sh COMMAND...
set -uo pipefail
cd "$(dirname "$0")/.."

answers() { timeout 5 docker version >/dev/null 2>&1; }
# Testcontainers asks for an API that Debian's engine does not speak, unless it is told.
speak() { DOCKER_API_VERSION=$(docker version --format '{{.Server.APIVersion}}') && export DOCKER_API_VERSION; }

if command -v docker >/dev/null && answers; then
  speak
  exec "$@"
fi
if ! command -v docker >/dev/null || [ "$(id -u)" != 0 ] || ! command -v dockerd >/dev/null; then
  exec "$@"
fi
if [ "${1:-}" != --inside ]; then
  exec tests/loopback.sh tests/docker.sh --inside "$@"
fi
shift

folder=$(mktemp -d)
export DOCKER_HOST=unix://$folder/docker.sock
dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" --host "$DOCKER_HOST" >"$folder/log" 2>&1 &
engine=$!
stop() {
  kill "$engine" 2>/dev/null
  wait "$engine" 2>/dev/null
  rm -rf "$folder"
}
trap stop EXIT
for _ in $(seq 60); do
  answers && break
  kill -0 "$engine" 2>/dev/null || { echo "tests: dockerd ended: $(tail -1 "$folder/log")" >&2; break; }
  sleep 0.5
done
# Here no image can be pulled: not the bases, and not Testcontainers' own that would clear up, which our end does.
export TESTCONTAINERS_RYUK_DISABLED=true
if answers; then
  speak
  tests/images.sh import
fi
"$@"
