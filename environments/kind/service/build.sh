#!/bin/sh
# Builds what images of applications and of their monitoring are made of, into a folder outside the checkout: the service
# program (Go), busybox as the shell beside it, Prometheus with the C library that it needs (Debian packages).
# itbench.environments.kind.archive makes images of these, without a registry. About 20 s.
# usage: build.sh [FOLDER]        (default: ~/.cache/itbench/kind/service)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/itbench/kind/service}
prometheus=2.42.0+ds-5

command -v go >/dev/null || { echo "kind-service-image: Go is needed (https://go.dev/dl, or apt-get install golang-go)" >&2; exit 2; }
command -v apt-get >/dev/null || { echo "kind-service-image: apt-get is needed, for busybox-static and prometheus" >&2; exit 2; }
pinned=$(cd "$sources" && cat build.sh go.mod ./*.go | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/.pinned" 2>/dev/null)" = "$pinned" ]; then
  echo "kind-service-image: up to date in $folder"
  exit 0
fi

mkdir -p "$folder"
fresh=$(mktemp -d "$folder/.building-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM

echo "kind-service-image: building the service program"
(cd "$sources" && CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' go build -ldflags "-s -w" -o "$fresh/service" .)

echo "kind-service-image: fetching busybox-static, prometheus and libc6"
mkdir "$fresh/packages" "$fresh/busybox" "$fresh/prometheus"
chmod 755 "$fresh" && cd "$fresh/packages"
apt-get download -qq busybox-static prometheus libc6 2>"$fresh/said" || { cat "$fresh/said" >&2; exit 2; }
dpkg -x busybox-static_*.deb "$fresh/busybox"
case $(echo prometheus_*.deb) in
  prometheus_"$prometheus"*) ;;
  *) echo "kind-service-image: this Debian has $(echo prometheus_*.deb), tried was $prometheus" >&2 ;;
esac
dpkg -x prometheus_*.deb "$fresh/prometheus"
dpkg -x libc6_*.deb "$fresh/libc"
library=$(cd "$fresh/libc" && dirname "$(find . -name libc.so.6)")
mkdir -p "$fresh/prometheus/$library"
for name in libc.so.6 libresolv.so.2 libnss_dns.so.2; do cp "$fresh/libc/$library/$name" "$fresh/prometheus/$library/"; done
# Programs name the loader by a path that is a link in the package: here it is a file in each place.
loader=$(find "$fresh/libc" -type f -name 'ld-linux-*')
(cd "$fresh/libc" && find . -name 'ld-linux-*') | while read -r place; do
  mkdir -p "$fresh/prometheus/$(dirname "$place")"
  cp "$loader" "$fresh/prometheus/$place"
done
rm -rf "$fresh/prometheus/usr/share" "$fresh/prometheus/etc" "$fresh/prometheus/var" "$fresh/prometheus/lib/systemd"

for part in service busybox prometheus; do  # each one whole or not at all
  rm -rf "${folder:?}/$part.old"
  [ ! -e "$folder/$part" ] || mv "$folder/$part" "$folder/$part.old"
  mv "$fresh/$part" "$folder/$part"
  rm -rf "${folder:?}/$part.old"
done
echo "$pinned" > "$folder/.pinned"
echo "kind-service-image: ready in $folder"
