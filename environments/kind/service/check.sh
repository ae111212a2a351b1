#!/bin/sh
# gofmt and go vet over the service program; its tests run with those of the package (tests/environments/kind).
set -eu
cd "$(dirname "$0")"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt -w $unformatted" >&2; exit 1; }
go vet ./...
