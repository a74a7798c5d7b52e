#!/bin/sh
# Builds the release of the commit at hand twice, in two folders and with two build caches,
# from the repository's root, and compares. Then it asks the program for its version.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
commit=$(git rev-parse HEAD)
for folder in a a-longer/name; do
	git clone -q . "$work/$folder"
	git -C "$work/$folder" checkout -q "$commit" # HEAD may move meanwhile
	(cd "$work/$folder" && GOCACHE="$work/cache-$(echo "$folder" | tr / -)" .ci/release.sh dist)
done
if ! diff -r "$work/a/dist" "$work/a-longer/name/dist"; then
	echo "check-release: the same commit has given other bytes" >&2
	exit 1
fi
cd "$work/a/dist"
sha256sum -c SHA256SUMS
for archive in *.tar.gz; do
	tar -xzf "$archive"
	if grep -aq "$work" "${archive%.tar.gz}/nstfilter"; then
		echo "check-release: $archive has a path of this machine in it" >&2
		exit 1
	fi
done
version=$(cd .. && git describe --tags --always)
said=$("nstfilter-$version-linux-$(go env GOARCH)-go/nstfilter" version | head -n 1)
if [ "$said" != "nstfilter $version" ]; then
	echo "check-release: version says '$said', the commit is $version" >&2
	exit 1
fi
echo "check-release: both are the same"
