#!/usr/bin/env bash
# Runs the tests of each fault of the shared store and prints what they saw as the table of docs/sync.md.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/tools.sh redis-server
dotnet build tests/StickyIngress.Tests --nologo -v quiet -clp:ErrorsOnly
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
SYNC_FAULTS=$rows tests/loopback.sh artifacts/bin/StickyIngress.Tests/debug/StickyIngress.Tests -noLogo -noColor \
  -class StickyIngress.Tests.Sync.SyncFaultTests >&2
echo '| The store is | requests | failed | moved | differed | agreed after |'
echo '|---|---|---|---|---|---|'
sort "$rows"
