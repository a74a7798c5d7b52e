#!/bin/sh
# Builds the archives of a release into a folder, from the repository's root: release.sh
# FOLDER. The same commit gives the same bytes with the same Go, gcc and libvips, wherever
# it lies (.ci/check_release.sh). The version is what git describe says.
set -eu

dist=${1:?usage: release.sh FOLDER}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

# What a user has set must not change the bytes.
unset CGO_CFLAGS CGO_CPPFLAGS CGO_CXXFLAGS CGO_LDFLAGS GOEXPERIMENT GOARM64 GODEBUG
export GOFLAGS='' GOAMD64=v1 GOTOOLCHAIN=local LC_ALL=C TZ=UTC
umask 022

version=$(git describe --tags --always --dirty)
time=$(git log -1 --format=%ct)
rm -rf "$dist"
mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# archive NAME GOARCH CGO_ENABLED makes NAME.tar.gz and NAME.cdx.json. Without VCS stamps,
# which a source archive could not have, the version comes by the linker alone.
archive() {
	name=nstfilter-$version-$1
	echo "release: $name"
	mkdir "$work/$name"
	GOOS=linux GOARCH=$2 CGO_ENABLED=$3 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$version" -o "$work/$name/nstfilter" ./cmd/nstfilter
	cp LICENSE NOTICE README.md "$work/$name"
	(cd "$work" && go run "$sbom" bin -json -noserial -notimestamp -std -version "$version" -output "$name.cdx.json" "$name/nstfilter")
	cp "$work/$name.cdx.json" "$work/$name/sbom.cdx.json"
	tar -C "$work" --format=ustar --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - "$name" |
		gzip -n -9 >"$dist/$name.tar.gz"
	mv "$work/$name.cdx.json" "$dist"
}

archive linux-amd64-vips amd64 1
archive linux-amd64-go amd64 0
archive linux-arm64-go arm64 0
(cd "$dist" && sha256sum -- *.tar.gz *.json >SHA256SUMS && cat SHA256SUMS)
