#!/bin/sh
# Makes a node image for kind where no image registry can be reached: from Debian packages and Go modules.
# About 15 minutes on 2 cores the first time; nothing to do when the image is there and made of what is pinned here.
# usage: build.sh [FOLDER]        (default: ~/.cache/itbench/kind)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/itbench/kind}
release=bookworm
for program in go docker debootstrap gcc jq; do
  command -v $program >/dev/null || { echo "kind-node: $program is needed (apt-get install golang-go docker.io debootstrap gcc jq)" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "kind-node: debootstrap needs root" >&2; exit 2; }
docker info >/dev/null 2>&1 || { echo "kind-node: Docker does not answer; start it with: make docker" >&2; exit 2; }
mkdir -p "$folder"
exec 9>"$folder/.lock"; flock 9  # two at once would work in one another's folders

"$sources/binaries.sh" "$folder/bin"
version=$("$folder/bin/kubelet" --version | cut -d' ' -f2)
pinned=$(cd "$sources" && cat "$folder/bin/.pinned" ./*.sh files/* manifests/* | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/.pinned" 2>/dev/null)" = "$pinned" ] && docker image inspect "itbench/node:$version" >/dev/null 2>&1; then
  echo "kind-node: itbench/node:$version is up to date"
  exit 0
fi

root() {  # name, packages: a Debian root, whole or not at all
  [ ! -d "$folder/$1" ] || return 0
  echo "kind-node: fetching Debian packages for $1"
  rm -rf "$folder/$1.part"
  debootstrap --variant=minbase --include="$2" $release "$folder/$1.part" >"$folder/$1.log" 2>&1 || { tail -3 "$folder/$1.log" >&2; exit 1; }
  rm -rf "$folder/$1.part"/var/cache/apt/archives/*.deb "$folder/$1.part"/var/lib/apt/lists/* "$folder/$1.part"/usr/share/doc \
    "$folder/$1.part"/usr/share/man "$folder/$1.part"/usr/share/locale
  mv "$folder/$1.part" "$folder/$1"
}
root base iptables,ipset,conntrack,kmod,iproute2,busybox-static,ca-certificates,procps
root node systemd,systemd-sysv,dbus,containerd,runc,iptables,nftables,iproute2,ethtool,conntrack,socat,kmod,procps,util-linux,ca-certificates,containernetworking-plugins,libseccomp2,mount,jq,curl,ebtables,ipset
echo "kind-node: making images"
"$sources/images.sh" "$folder"
echo "kind-node: making itbench/node:$version"
"$sources/image.sh" "$folder"
echo "$pinned" > "$folder/.pinned"
echo "kind-node: itbench/node:$version is ready"
