#!/bin/sh
# Compares the API of the packages that other programs use with a kept one, from the
# repository's root:
#
#     api.sh check   fails where a change is incompatible and CHANGELOG.md does not name it
#     api.sh update  keeps the API at hand; at a release, when "Unreleased" gets its number
#
# The kept ones are apidiff's export data, in .ci/api.
set -eu

packages="weights filter video video/flow video/coherence pipeline"
apidiff=golang.org/x/exp/cmd/apidiff@v0.0.0-20261113113407-e3970619a1a4

kept() { echo ".ci/api/$(echo "$1" | tr / -).export"; }

# unnamed PACKAGE reads apidiff's lines, - (*Filter).Paint: changed from … to …, and prints
# those whose names, filter.Filter.Paint, CHANGELOG.md does not have under "Unreleased".
unnamed() {
	sed -n 's/^- //p' | while read -r line; do
		name=${1##*/}.$(echo "${line%%: *}" | tr -d '(*)')
		sed -n '/^## \[Unreleased/,/^## \[[0-9]/p' CHANGELOG.md | grep -qF "\`$name\`" || echo "$name: ${line#*: }"
	done
}

check() {
	found=
	for package in $packages; do
		changes=$(go run "$apidiff" -incompatible "$(kept "$package")" "nstfilter/$package")
		changes=$(echo "$changes" | unnamed "$package")
		[ -z "$changes" ] || found="$found$changes
"
	done
	[ -n "$found" ] || return 0
	echo "These changes break programs that use the packages, and CHANGELOG.md does not say so:" >&2
	printf %s "$found" >&2
	echo 'Undo them, or name each under "Unreleased" in CHANGELOG.md, as `filter.Filter.Paint`, with what to write instead.' >&2
	exit 1
}

case ${1:-} in
check) check ;;
update)
	[ ! -d .ci/api ] || check
	mkdir -p .ci/api
	for package in $packages; do
		# -trimpath: else the folders of this machine are in it
		GOFLAGS="${GOFLAGS:-} -trimpath" go run "$apidiff" -w "$(kept "$package")" "nstfilter/$package"
	done
	;;
*)
	echo "usage: api.sh check|update" >&2
	exit 2
	;;
esac
