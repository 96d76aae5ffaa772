#!/usr/bin/env bash
# Builds what is measured and runs the load (arguments go to load.py). Brings wrk, haproxy and nginx where this machine has apt-get and we may use it.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in wrk haproxy nginx redis-server; do
  command -v "$program" >/dev/null && continue
  package=${program/nginx/nginx-light}
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$package" >/dev/null; fi
  command -v "$program" >/dev/null || echo "load: $program is missing (Debian package $package)" >&2
done

dotnet build src/StickyIngress -c Release --nologo -v quiet -clp:ErrorsOnly
dotnet build tests/StickyIngress.Benchmarks -c Release --nologo -v quiet -clp:ErrorsOnly
exec tests/load/load.py "$@"
