#!/usr/bin/env bash
# Builds what is measured and runs the load (arguments go to load.py). Brings wrk, haproxy and nginx where this machine has apt-get and we may use it.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/load/programs.sh wrk haproxy nginx redis-server
make --no-print-directory publish
dotnet build tests/StickyIngress.Benchmarks -c Release --nologo -v quiet -clp:ErrorsOnly
exec tests/load/load.py "$@"
