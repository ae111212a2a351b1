#!/bin/sh
# Builds the policy engines opa and kyverno from the Go modules pinned beside this file into a folder outside the checkout.
# About 2 and 12 minutes of processor time the first time; nothing to do for a program that is what is pinned here.
# usage: build.sh [PROGRAM]...        (default: opa kyverno; into ~/.cache/itbench/policy-engines)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/itbench/policy-engines
[ $# -gt 0 ] || set -- opa kyverno

command -v go >/dev/null || { echo "policy-engines: Go is needed (https://go.dev/dl, or apt-get install golang-go)" >&2; exit 2; }
mkdir -p "$folder"
fresh=$(mktemp -d "$folder/.building-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM
export CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly -buildvcs=false'

for program in "$@"; do
  case $program in
    opa) package=github.com/open-policy-agent/opa ;;
    kyverno) package=github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno ;;
    *) echo "policy-engines: there is no program $program; known: opa, kyverno" >&2; exit 2 ;;
  esac
  cd "$sources/$program"
  pinned=$(cat ../build.sh go.mod go.sum | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$folder/.$program" 2>/dev/null)" = "$pinned" ] && [ -x "$folder/$program" ]; then
    echo "policy-engines: $program is up to date in $folder"
    continue
  fi
  echo "policy-engines: building $program"
  go build -ldflags "-s -w" -o "$fresh/$program" "$package"
  mv "$fresh/$program" "$folder/$program"  # whole or not at all
  echo "$pinned" > "$folder/.$program"
  echo "policy-engines: $program is ready in $folder"
done
