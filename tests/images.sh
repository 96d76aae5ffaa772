#!/usr/bin/env bash
# Makes two small images out of Debian's packages, for machines that can pull none: sticky-ingress-base, which the program's image is built on
# (libc, OpenSSL, certificate authorities; no shell), and sticky-ingress-nginx, a server for the tests to put behind it.
# Usage: tests/images.sh fetch    unpack the packages into .tools/images (takes a network)
#        tests/images.sh import   give them to the Docker engine, which must answer
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.tools/images

# unpack IMAGE PACKAGE...
unpack() {
  local root=$folder/$1
  shift
  mkdir -p "$root" && (cd "$folder" && apt-get download -qq "$@" 2>/dev/null)
  mkdir -p "$root/var/lib/dpkg/status.d"
  for deb in "$folder"/*.deb; do
    dpkg-deb --extract "$deb" "$root"
    dpkg-deb --field "$deb" >"$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$deb" Package)"
  done
  rm -rf "$folder"/*.deb "$root"/usr/share/{doc,man,lintian,bug} "$root"/usr/lib/*/gconv "$root"/usr/sbin/update-ca-certificates
  mkdir -p -m 1777 "$root/tmp"
  mkdir -p "$root/etc/ssl/certs"
  printf '%s\n' 'root:x:0:0::/:/none' 'nonroot:x:65532:65532::/:/none' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nonroot:x:65532:' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  cp -L /etc/os-release "$root/etc/os-release"
}

fetch() {
  [ -f "$folder/nginx.tar" ] && return
  rm -rf "$folder" && mkdir -p "$folder"
  unpack base libc6 libgcc-s1 libstdc++6 libssl3 ca-certificates
  cat "$folder"/base/usr/share/ca-certificates/mozilla/*.crt >"$folder/base/etc/ssl/certs/ca-certificates.crt"
  unpack nginx libc6 libcrypt1 libpcre2-8-0 zlib1g libssl3 nginx nginx-common
  mkdir -p "$folder/nginx/var/log/nginx" "$folder/nginx/var/lib/nginx"
  for image in base nginx; do
    tar --create --file "$folder/$image.tmp" --owner 0 --group 0 --numeric-owner --directory "$folder/$image" .
    rm -rf "${folder:?}/$image" && mv "$folder/$image.tmp" "$folder/$image.tar"
  done
}

import() {
  for image in base nginx; do
    docker image inspect "sticky-ingress-$image" >/dev/null 2>&1 || docker import "$folder/$image.tar" "sticky-ingress-$image" >/dev/null
  done
}

"${1:?fetch or import}"
