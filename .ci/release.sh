#!/bin/sh
# Builds a release into a folder, archives and Debian packages, from the repository's root:
# release.sh FOLDER. The same commit gives the same bytes with the same Go, gcc and libvips,
# wherever it lies (.ci/check_release.sh). The version is what git describe says.
set -eu

dist=${1:?usage: release.sh FOLDER}
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0

if [ "$(uname -sm)" != "Linux x86_64" ]; then
	echo "release: a release is built on Linux x86_64, and this is $(uname -sm)" >&2
	exit 1
fi
# What a user has set must not change the bytes.
unset CGO_CFLAGS CGO_CPPFLAGS CGO_CXXFLAGS CGO_LDFLAGS GOEXPERIMENT GOARM64 GODEBUG
export GOFLAGS='' GOAMD64=v1 GOTOOLCHAIN=local LC_ALL=C TZ=UTC
umask 022

version=$(git describe --tags --always --dirty)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
rm -rf "$dist"
mkdir -p "$dist"
dist=$(realpath "$dist")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build NAME GOOS GOARCH [CC [LINKED TAGS]]: without CC in Go alone. Without VCS stamps, which
# a source archive could not have, the version comes by the linker alone.
build() {
	name=nstfilter-$version-$1 program=nstfilter cgo=0
	echo "release: $name"
	[ "$2" != windows ] || program=nstfilter.exe
	[ -z "${4:-}" ] || cgo=1
	mkdir "$work/$name"
	CC=${4:-} GOOS=$2 GOARCH=$3 CGO_ENABLED=$cgo go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$version ${5:-}" -tags "${6:-}" -o "$work/$name/$program" ./cmd/nstfilter
}

# pack makes an archive of what was built, and a list of the modules in it.
pack() {
	cp LICENSE NOTICE README.md "$work/$name"
	cp -R "$work/share" "$work/$name"
	(
		cd "$work"
		go run "$sbom" bin -json -noserial -notimestamp -std -version "$version" -output "$dist/$name.cdx.json" "$name/$program"
		cp "$dist/$name.cdx.json" "$name/sbom.cdx.json"
		find "$name" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
		if [ $program = nstfilter.exe ]; then
			python3 -m zipfile -c "$dist/$name.zip" "$name"
		else
			tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - "$name" |
				gzip -n -9 >"$dist/$name.tar.gz"
		fi
	)
}

# deb ARCH [LIBRARIES…] packages the program that was built. What is no release sorts behind
# the one before it and ahead of the next: 1.2.0+3.g0123abc.
deb() {
	arch=$1
	shift
	debian=$(echo "$version" | sed -E 's/^v//; s/-dirty$/+dirty/; s/-([0-9]+)-g([0-9a-f]+)/+\1.g\2/; s/-/~/g')
	case $debian in *.*) ;; *) debian=0~git.$debian ;; esac
	root=$work/root/$arch/usr
	mkdir -p "$root/bin" "$root/share/doc/nstfilter"
	cp "$work/$name/nstfilter" "$root/bin"
	cat NOTICE LICENSE >"$root/share/doc/nstfilter/copyright"
	cp -R "$work/share" "$root"
	find "$root/share/man" -type f -exec gzip -n -9 {} +
	mv "$root/share/zsh/site-functions" "$root/share/zsh/vendor-completions" # where Debian's zsh looks
	ROOT=$work/root/$arch ARCH=$arch VERSION=$debian LIBC=${1:-} LIBGLIB=${2:-} LIBVIPS=${3:-} \
		go run "$nfpm" package --packager deb --config .ci/nfpm.yaml --target "$dist/nstfilter_${debian}_$arch.deb"
}

# Linked statically they need nothing of a system, and read fewer kinds of photos.
static="-extldflags -static" without=novips,netgo,osusergo

build linux-amd64 linux amd64 gcc "$static" $without
.ci/share.sh "$work/$name/nstfilter" "$work/share"
pack
build linux-amd64-vips linux amd64 gcc
pack
deb amd64 'libc6 (>= 2.34)' 'libglib2.0-0 (>= 2.41.1) | libglib2.0-0t64' 'libvips42 (>= 8.14) | libvips42t64'
build linux-arm64 linux arm64 aarch64-linux-gnu-gcc "$static" $without
pack
deb arm64
# The cpu engine is C, and there is no compiler of it here for these: Go alone computes.
build macos-arm64 darwin arm64
pack
build macos-amd64 darwin amd64
pack
build windows-amd64 windows amd64
pack
(cd "$dist" && sha256sum -- *.tar.gz *.zip *.deb *.json >SHA256SUMS && cat SHA256SUMS)
