#!/usr/bin/env bash
# Prints manifests/install.yaml: the two charts rendered with their defaults, for plain kubectl.
# Usage: manifests/render.sh [CRD_CHART CHART]   (folders or packages; those of this repository without arguments)
set -euo pipefail
cd "$(dirname "$0")/.."

crds=${1:-charts/sticky-ingress-crds}
chart=${2:-charts/sticky-ingress}
cat <<'HEAD'
# StickyIngress for plain kubectl, made from the charts by make generate. Before it, once, make the key of the cookies:
#
#   kubectl create namespace sticky-ingress
#   kubectl create secret generic sticky-ingress-keys --namespace sticky-ingress --from-literal=keys="$(openssl rand -base64 32)"
#   kubectl apply --server-side --filename install.yaml
apiVersion: v1
kind: Namespace
metadata:
  name: sticky-ingress
  labels:
    pod-security.kubernetes.io/enforce: restricted
HEAD
.tools/bin/helm template sticky-ingress-crds "$crds"
.tools/bin/helm template sticky-ingress "$chart" --namespace sticky-ingress --set affinityKeys.existingSecret=sticky-ingress-keys --skip-tests
