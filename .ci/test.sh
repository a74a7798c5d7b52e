#!/bin/sh
# All checks and tests, from the repository's root, after setup and build.
set -eu

say() {
	echo
	echo "== $*"
}

NSTFILTER_REQUIRE_FFMPEG=1
export NSTFILTER_REQUIRE_FFMPEG

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
	say "no chromium: the page of --preview is not tested"

say "go test ./..."
go test ./...

say "go test -race, where goroutines are"
# The matrices of formats take a minute, and have no goroutines that the other tests of film lack.
go test -race -short -skip '^TestMatrix' ./pipeline ./pipeline/host ./pipeline/preview ./video/... ./filter ./filter/parallel ./filter/engine/cpu

say "the cuda engine"
.ci/test_cuda.sh

say "the frei0r plugin"
cmd/frei0r/test.sh ./nstfilter ./nstfilter.so

if command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
	say "the cpu engine on arm64, emulated"
	(cd filter/engine/enginetest &&
		CGO_ENABLED=1 GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc \
			go test -exec 'qemu-aarch64 -L /usr/aarch64-linux-gnu' -v -run 'TestCPU/neon/reference' .)
else
	say "no cross-compiler or no emulator for arm64: NEON is not tested"
fi

say "go test without cgo"
# Without vector instructions whole films take minutes, and show nothing new: what these test
# does not depend on what computes.
CGO_ENABLED=0 go test -short \
	-skip '^Test(LookingAheadChangesNothing|PassesGoBackAndForth|SmallerFilmKeepsItsDetail|StrengthOfFilm|ProtectFaces|MaskOfFilm|StridePaintsFewerFrames|LoopEndsAsItBegan|KeysLeadTheFilm)$|^TestScripts$/^(timeline|disk|interrupt|grey|maps|convert)$' \
	./weights ./video/... ./pipeline/... ./filter ./filter/engine/gorgonia ./cmd/...

if python3 -c 'import torch' 2>/dev/null; then
	say "weights/distil: smoke test"
	python3 weights/distil/smoke_test.py
fi
