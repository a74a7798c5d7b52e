#!/bin/sh
# Runs every fuzz target of the module, one after the other, from the repository's root:
# fuzz.sh [TIME], each for TIME (30s), or so long that all take an hour. Without fuzzing,
# go test runs their seeds. Go would shorten each input that reaches new code for a minute,
# instead of trying others.
set -eu

targets=$(grep -rn --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | sed 's|^\./\(.*\)/[^/]*:[0-9]*:func \(.*\)|\1 \2|' | sort)
count=$(echo "$targets" | wc -l)
time=${1:-$((3600 / count))s}
echo "fuzz: $count targets, $time each"
failed=
while read -r package target; do
	echo
	echo "== $package $target"
	tags=
	go test -list "^$target\$" "./$package" </dev/null | grep -q "^$target" || tags=novips # of the build in Go alone
	go test -tags "$tags" "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x </dev/null || failed="$failed $target"
done <<END
$targets
END
if [ -n "$failed" ]; then
	echo "fuzz: failed:$failed; what failed is in testdata/fuzz of their packages: keep it as a seed" >&2
	exit 1
fi
