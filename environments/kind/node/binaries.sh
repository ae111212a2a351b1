#!/bin/sh
# Builds the programs of a kind node from the Go modules pinned beside this file, and kind itself, into FOLDER.
# Etcd, API server and kubectl are those of `make kube-assets`. About 8 minutes on 2 cores the first time.
# usage: binaries.sh FOLDER
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=$1
assets=${XDG_CACHE_HOME:-$HOME/.cache}/itbench/kube-assets

pinned=$(cd "$sources" && cat binaries.sh ./*/go.mod ./*/go.sum ./*/*/main.go ../../kube-assets/*/go.mod | sha256sum | cut -d' ' -f1)
[ "$(cat "$folder/.pinned" 2>/dev/null)" != "$pinned" ] || exit 0
"$sources/../../kube-assets/build.sh"

mkdir -p "$folder"
fresh=$(mktemp -d "$folder/.building-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM
export CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly -buildvcs=false'

cd "$sources/kubernetes"
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
stamp="-s -w"  # without these, kubeadm and kubelet call themselves v0.0.0 and refuse each other
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp="$stamp -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(echo "$version" | cut -d. -f2)"
  stamp="$stamp -X $package.gitTreeState=clean -X $package.gitCommit=local -X $package.buildDate=1970-01-01T00:00:00Z"
done
for program in kubeadm kubelet kube-controller-manager kube-scheduler kube-proxy; do
  echo "kind-node: building $program $version"
  go build -ldflags "$stamp" -o "$fresh/$program" "./$program"
done
tool() {  # folder, package, module
  cd "$sources/$1"
  echo "kind-node: building ${2##*/} $(go list -m -f '{{.Version}}' "$3")"
  go build -ldflags "-s -w" -o "$fresh/${2##*/}" "$2"
}
tool kind sigs.k8s.io/kind sigs.k8s.io/kind
tool coredns github.com/coredns/coredns github.com/coredns/coredns
tool storage github.com/rancher/local-path-provisioner github.com/rancher/local-path-provisioner
tool network github.com/cloudnativelabs/kube-router/v2/cmd/kube-router github.com/cloudnativelabs/kube-router/v2

for program in etcd kube-apiserver kubectl; do cp "$assets/$program" "$fresh/"; done
for program in "$fresh"/*; do mv "$program" "$folder/"; done  # each one whole or not at all
echo "$pinned" > "$folder/.pinned"
