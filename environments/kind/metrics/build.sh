#!/bin/sh
# Builds the metrics server from the Go module pinned beside this file, into a folder outside the checkout. Applications with
# autoscalers need it. About 5 minutes on 2 cores once.
# usage: build.sh [FOLDER]        (default: ~/.cache/itbench/kind/service)
set -eu
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/itbench/kind/service}

command -v go >/dev/null || { echo "kind-service-image: Go is needed (https://go.dev/dl, or apt-get install golang-go)" >&2; exit 2; }
pinned=$(cd "$sources" && cat build.sh go.mod go.sum | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/.metrics-pinned" 2>/dev/null)" = "$pinned" ] && [ -x "$folder/metrics-server" ]; then exit 0; fi
mkdir -p "$folder"
fresh=$(mktemp "$folder/.metrics-XXXXXX")
trap 'rm -f "$fresh"' EXIT
trap 'exit 130' INT TERM
cd "$sources"
export CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly -buildvcs=false'
echo "kind-service-image: building metrics-server $(go list -m -f '{{.Version}}' sigs.k8s.io/metrics-server)"
go build -ldflags "-s -w" -o "$fresh" sigs.k8s.io/metrics-server/cmd/metrics-server
chmod 755 "$fresh"
mv "$fresh" "$folder/metrics-server"
echo "$pinned" > "$folder/.metrics-pinned"
