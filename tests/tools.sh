#!/usr/bin/env bash
# Brings the programs that tests use beside the SDK, from Debian's packages where this machine has apt-get and we may use it.
# A program that is still missing afterwards is named in one line; the tests that need it say so when they are skipped.
set -uo pipefail

declare -A package=([promtool]=prometheus [redis-server]=redis-server)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  packages=()
  for program in "${missing[@]}"; do packages+=("${package[$program]}"); done
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1
fi

for program in "${missing[@]}"; do
  command -v "$program" >/dev/null || echo "tests: $program is missing (Debian package ${package[$program]}); the tests that need it are skipped" >&2
done
exit 0
