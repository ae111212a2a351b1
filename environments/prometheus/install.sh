#!/bin/sh
# Gets Debian's prometheus and promtool into a folder outside the checkout, without root: the package is downloaded by apt and
# unpacked, not installed. Nothing to do when the folder holds the version that apt offers.
# usage: install.sh [FOLDER]        (default: ~/.cache/itbench/prometheus)
set -eu
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/itbench/prometheus}

for program in apt-get apt-cache dpkg; do
  command -v "$program" >/dev/null || {
    echo "prometheus: this needs Debian's $program; elsewhere put prometheus (2.33 or later) on PATH" >&2
    exit 2
  }
done
version=$(apt-cache show --no-all-versions prometheus 2>/dev/null | sed -n 's/^Version: //p')
[ -n "$version" ] || { echo "prometheus: apt does not know the package; run apt-get update first" >&2; exit 2; }
if [ "$(cat "$folder/.version" 2>/dev/null)" = "$version" ] && [ -x "$folder/prometheus" ]; then
  echo "prometheus: $version is in $folder"
  exit 0
fi

mkdir -p "$folder"
fresh=$(mktemp -d "$folder/.fetching-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM
(cd "$fresh" && apt-get -qq -o APT::Sandbox::User=root download "prometheus=$version" && dpkg -x prometheus_*.deb unpacked)
for program in promtool prometheus; do
  mv "$fresh/unpacked/usr/bin/$program" "$folder/$program"  # whole or not at all
done
echo "$version" > "$folder/.version"
echo "prometheus: $version is ready in $folder"
