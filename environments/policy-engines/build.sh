#!/bin/sh
# Builds the policy engines opa and kyverno from the Go modules pinned beside this file into a folder outside the checkout.
# About 2 and 12 minutes of processor time the first time (kyverno: 3.3 GB of memory while it is linked, a Go of 1.26 or one
# that may fetch it); nothing to do for an engine whose pinned version is there already.
# usage: build.sh [opa|kyverno]...        (default: both; into ~/.cache/itbench/policy-engines)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/itbench/policy-engines

command -v go >/dev/null || { echo "policy-engines: Go is needed (https://go.dev/dl, or apt-get install golang-go)" >&2; exit 2; }
mkdir -p "$folder"
fresh=$(mktemp -d "$folder/.building-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM
export CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly -buildvcs=false'

# build NAME PACKAGE MODULE
build() {
  cd "$sources/$1"
  pinned=$(cat go.mod go.sum | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$folder/.$1" 2>/dev/null)" = "$pinned" ] && [ -x "$folder/$1" ]; then
    echo "policy-engines: $1 is up to date in $folder"
    return
  fi
  echo "policy-engines: building $1 $(go list -m -f '{{.Version}}' "$3")"
  go build -ldflags "-s -w" -o "$fresh/$1" "$2"
  mv "$fresh/$1" "$folder/$1"  # whole or not at all
  echo "$pinned" > "$folder/.$1"
}

[ $# -gt 0 ] || set -- opa kyverno
for engine in "$@"; do
  case $engine in
    opa) build opa github.com/open-policy-agent/opa github.com/open-policy-agent/opa ;;
    kyverno) build kyverno github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno github.com/kyverno/kyverno ;;
    *) echo "policy-engines: there is no engine $engine; known: opa, kyverno" >&2; exit 2 ;;
  esac
done
echo "policy-engines: ready in $folder"
