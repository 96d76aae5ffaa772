#!/usr/bin/env bash
# Draws docs/dashboard.svg: the demo under a little load for three minutes, in which one of its three servers drains and is then down for a while;
# Debian's Prometheus, which scrapes it; and docs/dashboard.py, which asks that for the panels. docs/prometheus.png is a screenshot, by Chromium, of
# that Prometheus with the same data. All on loopback, in a network of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in prometheus chromium; do
  command -v "$program" >/dev/null || { echo "dashboard: $program is missing (Debian package $program)" >&2; exit 1; }
done
if [ "${1:-}" != --inside ]; then exec tests/loopback.sh docs/dashboard.sh --inside; fi

folder=$(mktemp -d)
stop() {
  jobs -p | xargs -r kill 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

artifacts/bin/StickyIngress/release/sticky-ingress demo --access-log off --log-level error >/dev/null 2>&1 &

cat >"$folder/prometheus.yml" <<'CONFIGURATION'
global: { scrape_interval: 2s }
scrape_configs:
- { job_name: sticky-ingress, honor_labels: true, static_configs: [{ targets: ["127.0.0.1:9090"] }] }
CONFIGURATION
prometheus --config.file "$folder/prometheus.yml" --storage.tsdb.path "$folder/data" --web.listen-address 127.0.0.1:9091 --log.level error 2>/dev/null &
until curl --silent --fail --output /dev/null http://127.0.0.1:9091/-/ready && curl --silent --fail --output /dev/null http://127.0.0.1:9090/readyz; do sleep 0.2; done

# A client each second for each way of sticking, that asks some forty times at most.
client() { for _ in $(seq $((RANDOM % 40 + 1))); do curl --silent --output /dev/null -c "$folder/jar$1" -b "$folder/jar$1" "http://127.0.0.1:8080$2"; sleep 0.5; done; rm -f "$folder/jar$1"; }
change() {
  for upstream in cookie route learn; do
    curl --silent --fail --output /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' -d "$1" \
      "http://127.0.0.1:9090/api/v1/upstreams/default/$upstream/peers/127.0.0.1:9102"
  done
}
for second in $(seq 180); do
  case $second in
    50) change '{ "drain": true }' ;;
    62) change '{ "down": true }' ;;
    100) change '{ "drain": null, "down": null }' ;;
  esac
  for target in / /route /learn; do client "$second${target//\//-}" "$target" & done
  sleep 1
done
minutes=$((SECONDS / 60))

docs/dashboard.py http://127.0.0.1:9091 "$minutes" 'Requests by status' Latency 'Tries by peer' 'Peers by state' Outcomes 'Breaks by reason' \
  'Sessions by peer' 'Session tables: fill' Connections >"$folder/dashboard.svg"
mv "$folder/dashboard.svg" docs/dashboard.svg

chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,835 --virtual-time-budget=20000 --user-data-dir="$folder/chromium" \
  --screenshot="$folder/prometheus.png" \
  "http://127.0.0.1:9091/classic/graph?g0.tab=0&g0.stacked=0&g0.range_input=${minutes}m&g0.expr=sum+by+(peer)+(stickyingress_affinity_sessions)" 2>/dev/null
mv "$folder/prometheus.png" docs/prometheus.png
