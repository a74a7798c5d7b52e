#!/bin/sh
# Checks the code without running it, from the repository's root.
set -eu

say() { echo "lint: $*"; }

say gofmt
unformatted=$(gofmt -l bench cmd examples filter pipeline video weights)
if [ -n "$unformatted" ]; then
	echo "gofmt -w these:" >&2
	echo "$unformatted" >&2
	exit 1
fi
say "go vet"
go vet ./...
say "go vet without libvips"
go vet -tags novips ./pipeline/... ./cmd/nstfilter
for os in linux darwin windows; do
	say "go vet without cgo, $os"
	CGO_ENABLED=0 GOOS=$os go vet ./...
done
say staticcheck
go tool staticcheck ./...
say "the packages' API"
.ci/api.sh check
