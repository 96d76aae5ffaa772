#!/usr/bin/env bash
# Replays every recorded answer of nginx against the running product and prints a line for each file; fails where one differs, or
# where a recording was not replayed.
set -uo pipefail
cd "$(dirname "$0")/.."

tests/tools.sh || exit 1
dotnet build tests/StickyIngress.Tests --nologo -v quiet -clp:ErrorsOnly || exit 1

log=artifacts/test-results/conformance.log
mkdir -p "$(dirname "$log")"
tests/loopback.sh artifacts/bin/StickyIngress.Tests/debug/StickyIngress.Tests -noLogo -noColor -showLiveOutput \
  -namespace StickyIngress.Tests.Conformance >"$log" 2>&1
code=$?
grep -o 'conformance: .*' "$log" | sort -u
missing=0
for file in tests/StickyIngress.Testing/Vectors/*.json; do
  grep -q "conformance: $(basename "$file") " "$log" || { echo "conformance: $(basename "$file") was not replayed"; missing=1; }
done
[ $code -eq 0 ] && [ $missing -eq 0 ] && exit 0
cat "$log"
exit 1
