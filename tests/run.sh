#!/usr/bin/env bash
# Builds and runs every test project, one after the other, and ends with one line that sums them up. What needs a Docker engine runs in a pass of
# its own, where one is (tests/docker.sh); everything else has a network with nothing but loopback (tests/loopback.sh).
# Usage: tests/run.sh [PROJECT...]   (all of tests/*.Tests without arguments)
set -uo pipefail
cd "$(dirname "$0")/.."

if ! command -v dotnet >/dev/null; then
  echo "tests: the .NET SDK $(sed -n 's/.*"version": "\(.*\)".*/\1/p' global.json) is missing (https://dot.net)" >&2
  exit 1
fi

tests/tools.sh || exit 1
dotnet build StickyIngress.sln --nologo -v quiet -clp:ErrorsOnly || exit 1

projects=("$@")
[ ${#projects[@]} -gt 0 ] || for folder in tests/*.Tests; do projects+=("$(basename "$folder")"); done

passed=0 failed=0 skipped=0
results=artifacts/test-results
mkdir -p "$results"

# run NAME COMMAND...: a test program, counted
run() {
  local name=$1 log=$results/$1.log code summary bad
  shift
  echo "== $name"
  "$@" -noLogo -noColor >"$log" 2>&1
  code=$?
  grep -F '[FAIL]' -A 1 "$log"
  grep -A1 -F '[SKIP]' "$log" | grep -vE '\[SKIP\]|^--' | sort | uniq -c | sed -E 's/^ *([0-9]+) +/   \1 skipped: /'
  summary=$(grep -E 'Total: [0-9]+' "$log" | tail -1)
  if [[ $summary =~ Total:\ ([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+) ]]; then
    bad=$((BASH_REMATCH[2] + BASH_REMATCH[3]))
    passed=$((passed + BASH_REMATCH[1] - BASH_REMATCH[3] - BASH_REMATCH[4]))
    failed=$((failed + bad)) skipped=$((skipped + BASH_REMATCH[4]))
    [ "$bad" -eq 0 ] || cat "$log"
    echo "   $summary"
  else
    cat "$log"
    failed=$((failed + 1))
  fi
  [ $code -eq 0 ] || [ "$failed" -gt 0 ] || { cat "$log"; failed=$((failed + 1)); }
}

containers=StickyIngress.Tests.Containers
for project in "${projects[@]}"; do
  program=artifacts/bin/$project/debug/$project
  if [ "$project" != StickyIngress.Tests ]; then
    run "$project" tests/loopback.sh "$program"
    continue
  fi
  run "$project" tests/loopback.sh "$program" -namespace- "$containers"
  if command -v docker >/dev/null; then make --no-print-directory publish || failed=$((failed + 1)); fi
  run "$containers" tests/docker.sh "$program" -namespace "$containers"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
