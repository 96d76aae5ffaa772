#!/usr/bin/env bash
# Puts an nginx with `sticky` (1.29.6 or newer) into .tools/nginx without installing it, and prints the command that runs it. It comes with its own
# libraries from a later Debian release, by the package source that this machine uses already.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)/.tools/nginx
run=$root/nginx

if [ ! -x "$run" ]; then
  source=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
  [ -n "$source" ] || source=$(sed -n 's/^deb [^h]*\(http[^ ]*\).*/\1/p' /etc/apt/sources.list 2>/dev/null | head -1)
  [ -n "$source" ] || { echo "nginx.sh: no Debian package source is configured here" >&2; exit 1; }

  mkdir -p "$root"/{lists/partial,debs/partial,tree}
  echo "deb [trusted=yes] $source forky main" > "$root/sources.list"
  apt=(-o "Dir::Etc::sourcelist=$root/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$root/lists" -o "Dir::Cache::archives=$root/debs")
  apt-get "${apt[@]}" update -qq >&2
  (cd "$root/debs" && apt-get "${apt[@]}" download -qq nginx libc6 libcrypt1 libpcre2-8-0 libssl3t64 zlib1g libzstd1 >&2)
  for package in "$root"/debs/*.deb; do dpkg -x "$package" "$root/tree"; done

  libraries=$root/tree/usr/lib/x86_64-linux-gnu
  cat > "$run" <<EOF
#!/usr/bin/env bash
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$root/tree/usr/sbin/nginx" "\$@"
EOF
  chmod +x "$run"
fi

"$run" -v >&2
echo "$run"
