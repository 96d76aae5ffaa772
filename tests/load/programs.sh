#!/usr/bin/env bash
# Brings the programs that are measured beside ours, where this machine has apt-get and we may use it, and names those that are still missing.
# Usage: tests/load/programs.sh PROGRAM...
set -euo pipefail

for program in "$@"; do
  command -v "$program" >/dev/null && continue
  package=${program/nginx/nginx-light}
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$package" >/dev/null; fi
  command -v "$program" >/dev/null || echo "load: $program is missing (Debian package $package)" >&2
done
