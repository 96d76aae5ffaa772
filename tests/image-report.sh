#!/usr/bin/env bash
# Prints the size of the image and the time that a container of it takes to be ready, beside the bars that both are held to.
# BASE names another base than the Dockerfile's; where none can be pulled, that of tests/images.sh is taken.
set -euo pipefail
cd "$(dirname "$0")/.."

image=sticky-ingress-report
size_bar=130 ready_bar=2000

base=${BASE:-}
if [ -z "$base" ] && docker image inspect sticky-ingress-base >/dev/null 2>&1; then base=sticky-ingress-base; fi
docker build --quiet --target published ${base:+--build-arg BASE="$base"} --tag "$image" . >/dev/null

megabytes() { echo $(($(docker image inspect --format '{{.Size}}' "$1") / 1000000)); }
name=${base:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
size=$(megabytes "$image")
echo "image: $size MB, of which the base $name $(megabytes "$name") MB (bar: $size_bar MB)"

# The clock runs from docker run to the first answer 200 of /readyz; the best of five, since others on the machine only make it slower.
best=
for _ in 1 2 3 4 5; do
  start=$(date +%s%3N)
  id=$(docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges --publish 127.0.0.1::9090 \
    "$image" run --manifests /app/demo --admin 0.0.0.0:9090)
  port=$(docker port "$id" 9090 | sed -n '1s/.*://p')
  until curl --silent --fail --output /dev/null --max-time 1 "http://127.0.0.1:$port/readyz"; do
    [ $(($(date +%s%3N) - start)) -lt 30000 ] || { docker logs "$id" >&2; exit 1; }
    sleep 0.01
  done
  took=$(($(date +%s%3N) - start))
  [ -n "$best" ] && [ "$best" -le "$took" ] || best=$took
  docker rm --force "$id" >/dev/null
done
echo "start to ready: $best ms, the container's own start included (bar: $ready_bar ms)"
[ "$size" -le "$size_bar" ] && [ "$best" -le "$ready_bar" ]
