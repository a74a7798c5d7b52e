#!/bin/sh
# Builds the release of the commit at hand twice, in two folders and with two build caches,
# from the repository's root, and compares. Then it asks the programs that run here for their
# version, and apt whether a system can have the package.
set -eu

fail() {
	echo "check-release: $*" >&2
	exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
commit=$(git rev-parse HEAD)
for folder in a a-longer/name; do
	git clone -q . "$work/$folder"
	git -C "$work/$folder" checkout -q "$commit" # HEAD may move meanwhile
	(cd "$work/$folder" && GOCACHE="$work/cache-$(echo "$folder" | tr / -)" .ci/release.sh dist)
done
diff -r "$work/a/dist" "$work/a-longer/name/dist" || fail "the same commit has given other bytes"
cd "$work/a/dist"
sha256sum -c SHA256SUMS
for archive in *.tar.gz *.zip; do
	case $archive in
	*.zip) python3 -m zipfile -e "$archive" . ;;
	*) tar -xzf "$archive" ;;
	esac
done
for program in */nstfilter */nstfilter.exe; do
	! grep -aq "$work" "$program" || fail "$program has a path of this machine in it"
done
version=$(cd .. && git describe --tags --always)
# says COMMAND…: this runs, and is of the version
says() {
	said=$("$@" version | head -n 1)
	[ "$said" = "nstfilter $version" ] || fail "$* says '$said', the commit is $version"
}
says "nstfilter-$version-linux-amd64/nstfilter"
says "nstfilter-$version-linux-amd64-vips/nstfilter"
says qemu-aarch64 "nstfilter-$version-linux-arm64/nstfilter"
apt-get -qq install --simulate ./nstfilter_*_amd64.deb >/dev/null || fail "apt cannot install the package here"
echo "check-release: both are the same"
