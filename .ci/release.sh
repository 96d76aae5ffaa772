#!/usr/bin/env bash
# Builds everything of a release into artifacts/release/VERSION: the image as an archive, both charts, the manifests, what the program is made of
# (CycloneDX), and checksums. Publishes nothing.
# Usage: .ci/release.sh VERSION IMAGE [BASE]
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-} image=${2:-} base=${3:-}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
  echo "release: VERSION is \"$version\"; it must be like 1.2.3 or 1.2.3-rc.1: make release VERSION=1.2.3" >&2
  exit 1
fi

folder=artifacts/release/$version
rm -rf "$folder" && mkdir -p "$folder"
tests/tools.sh unzip helm

for chart in sticky-ingress-crds sticky-ingress; do
  .tools/bin/helm package "charts/$chart" --version "$version" --app-version "$version" --destination "$folder" >/dev/null
done
manifests/render.sh "$folder/sticky-ingress-crds-$version.tgz" "$folder/sticky-ingress-$version.tgz" >"$folder/install.yaml"
cp crds/stickyingress.io_stickyupstreams.yaml "$folder/"
tar -czf "$folder/examples-$version.tgz" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C manifests examples

dotnet tool restore >/dev/null
dotnet tool run dotnet-CycloneDX src/StickyIngress/StickyIngress.csproj --output "$folder" --filename "sticky-ingress-$version.cdx.json" \
  --output-format json --set-name sticky-ingress --set-version "$version" --exclude-dev >/dev/null

make --no-print-directory publish VERSION="$version"
# An engine of our own has no network, so only this runs beside it.
tests/docker.sh bash -c 'docker build --quiet --target published ${1:+--build-arg BASE="$1"} --tag "$0" . >&2 && docker save "$0"' "$image" "$base" |
  gzip -n >"$folder/sticky-ingress-$version-image.tar.gz"

(cd "$folder" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
