#!/usr/bin/env bash
# Lints the charts, renders every case of charts/sticky-ingress/ci, and runs the tests of what comes out.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/tools.sh promtool prometheus unzip helm
helm=.tools/bin/helm
[ -x "$helm" ] || exit 1
"$helm" lint --strict charts/sticky-ingress-crds
for values in charts/sticky-ingress/ci/*-values.yaml; do
  "$helm" lint --strict --quiet charts/sticky-ingress --values "$values"
  objects=$("$helm" template sticky-ingress charts/sticky-ingress --namespace sticky-ingress --values "$values" | grep -c '^kind:')
  echo "$(basename "$values"): $objects objects"
done

dotnet build tests/StickyIngress.Tests --nologo -v quiet -clp:ErrorsOnly
tests/loopback.sh artifacts/bin/StickyIngress.Tests/debug/StickyIngress.Tests -noLogo -noColor \
  -namespace StickyIngress.Tests.Chart -namespace StickyIngress.Tests.Monitoring
