#!/usr/bin/env bash
# Builds everything of a release into artifacts/release/VERSION: the image as an archive, both charts, the manifests, what the program is made of
# (CycloneDX), which base the image stands on, and checksums. Publishes nothing.
# Usage: .ci/release.sh VERSION IMAGE [BASE]
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-} image=${2:-} base=${3:-}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
  echo "release: VERSION is \"$version\"; it must be like 1.2.3 or 1.2.3-rc.1: make release VERSION=1.2.3" >&2
  exit 1
fi
named=${base:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
if ! [[ $version == *-* || $named =~ ^([^[:space:]@]+@)?sha256:[0-9a-f]{64}$ ]]; then
  echo "release: BASE is \"$named\"; of a release it must be NAME@sha256:DIGEST, since a tag may be another image tomorrow (a version like 1.2.3-rc.1 may have one)" >&2
  exit 1
fi

folder=artifacts/release/$version
rm -rf "$folder" && mkdir -p "$folder"
tests/tools.sh unzip helm dockerd iptables

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
files=$(mktemp)
trap 'rm -f "$files"' EXIT
tests/docker.sh bash -c 'docker build --quiet --target published --build-arg BASE="$1" --tag "$0" . >&2 &&
  docker image inspect --format "base $1
id {{.Id}}
{{range .RepoDigests}}digest {{.}}
{{end}}" "$1" >"$2" &&
  container=$(docker create "$1" none) && docker export "$container" >"$3" && docker rm "$container" >/dev/null &&
  docker save "$0"' "$image" "$named" "$folder/base.txt" "$files" | gzip -n >"$folder/sticky-ingress-$version-image.tar.gz"
.ci/bill.py "$folder/sticky-ingress-$version.cdx.json" artifacts/image/sticky-ingress.deps.json "$files"

(cd "$folder" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
