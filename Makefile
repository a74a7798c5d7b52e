# nstfilter: what can be made. Everything that is missing is installed first
# (.ci/setup.sh says what); nothing is written outside this folder but packages and
# Go's caches.

export PATH := $(CURDIR)/.build/go/bin:$(PATH)
export GOTOOLCHAIN := local

PREFIX ?= /usr/local
# A source archive has no tags: make build VERSION=1.2.0.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
go_build := go build -ldflags "-X main.version=$(VERSION)"

.PHONY: help setup build build-cuda install uninstall demo test test-cuda ptx check-ptx lint api container gallery frei0r neighbours \
	bench bench-look bench-equal bench-descent bench-engine bench-cuda bench-flow bench-plumbing bench-temporal bench-keys \
	chaos mutate soak fuzz release check-release vulncheck clean

help:
	@echo "make build    ./nstfilter"
	@echo "make build-cuda  ./nstfilter with the engine for NVIDIA's GPUs, which needs no CUDA to build"
	@echo "make install  ./nstfilter, its man page and completions into PREFIX ($(PREFIX)); make uninstall"
	@echo "make demo     paint a photo, a film and a pipe into demo/"
	@echo "make test     everything that is tested (what CI runs)"
	@echo "make test-cuda  test the cuda engine, on the CPU where there is no GPU"
	@echo "make ptx      compile the cuda engine's kernels with clang, after a change"
	@echo "make check-ptx  assemble them with NVIDIA's ptxas"
	@echo "make frei0r   ./nstfilter.so, the plugin for ffmpeg, Kdenlive, Shotcut"
	@echo "make neighbours  run what docs/pipes.md says of other programs, which are installed"
	@echo "make gallery  paint the pictures of README and docs anew"
	@echo "make lint     gofmt, go vet, staticcheck, and that the packages' API breaks nothing unsaid"
	@echo "make api      keep the API at hand as the one that lint compares with (at a release)"
	@echo "make container  an image of it, by podman or CONTAINER=docker"
	@echo "make bench    time the engines on this machine"
	@echo "make bench-look  how near pictures come to content and style, and sheets (PAIRS=FILE, ARGS)"
	@echo "make bench-equal  how long ours and PyTorch take to the same loss (PAIRS=FILE, ARGS)"
	@echo "make bench-descent  our L-BFGS beside PyTorch's (PAIRS=FILE, ARGS)"
	@echo "make bench-engine  time them beside PyTorch and ONNX Runtime"
	@echo "make bench-cuda  time the CUDA engine beside PyTorch (ARGS=-quick: a minute)"
	@echo "make bench-flow  optical flow beside OpenCV's, on made pairs or FLOW=FOLDER"
	@echo "make bench-plumbing  frames per second beside ffmpeg, copying"
	@echo "make bench-temporal  how steady painted film is (STYLE=FILE, PHOTOS='A B C', ARGS)"
	@echo "make bench-keys  how well paintings of single frames are carried (likewise)"
	@echo "make chaos    kill the program and its neighbours at random moments, and compare what becomes of it (ARGS='-n 20')"
	@echo "make mutate   run it on damaged files (ARGS='-n 100 -only png')"
	@echo "make soak     paint a stream for two hours, and see that memory does not grow (SOAK=10m)"
	@echo "make fuzz     every fuzz target, all in an hour (FUZZTIME=30s: each so long)"
	@echo "make release  archives and Debian packages, with checksums and what they are made of, into dist/"
	@echo "make check-release  make them twice, in two folders, and compare"
	@echo "make vulncheck  look for known holes in what is linked, with data from the internet"
	@echo "make clean    remove what was made here"

setup:
	@.ci/setup.sh .build

build: setup
	$(go_build) -o nstfilter ./cmd/nstfilter

build-cuda: setup
	filter/engine/cuda/env.sh $(go_build) -tags cuda -o nstfilter ./cmd/nstfilter

# make install compiles nothing if there is a program: sudo has other caches, and may lack Go.
nstfilter:
	$(MAKE) build

installed := $(DESTDIR)$(PREFIX)

install: nstfilter
	install -d "$(installed)/bin" "$(installed)/share/doc/nstfilter"
	install -m 755 nstfilter "$(installed)/bin/nstfilter"
	install -m 644 LICENSE NOTICE "$(installed)/share/doc/nstfilter"
	.ci/share.sh ./nstfilter "$(installed)/share"

uninstall:
	rm -f "$(installed)/bin/nstfilter" \
		"$(installed)/share/man/man1/nstfilter.1" \
		"$(installed)/share/bash-completion/completions/nstfilter" \
		"$(installed)/share/zsh/site-functions/_nstfilter" \
		"$(installed)/share/fish/vendor_completions.d/nstfilter.fish"
	rm -rf "$(installed)/share/doc/nstfilter"

demo: build
	.ci/demo.sh

test: lint build frei0r
	@.ci/setup.sh .build test arm64
	.ci/test.sh

test-cuda: setup
	@.ci/setup.sh .build test
	.ci/test_cuda.sh

ptx:
	@.ci/setup.sh .build ptx
	filter/engine/cuda/kernels/build.sh

check-ptx: setup
	filter/engine/cuda/kernels/check.sh .build

# It looks for nstfilter in PATH, or where $$NSTFILTER says.
frei0r: build
	@.ci/setup.sh .build frei0r
	cc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -pthread -o nstfilter.so cmd/frei0r/nstfilter.c

neighbours: frei0r
	@.ci/setup.sh .build test neighbours
	cmd/frei0r/test.sh ./nstfilter ./nstfilter.so
	NSTFILTER_REQUIRE_NEIGHBOURS=1 go test -count=1 ./cmd/nstfilter -run TestPages/pipes

gallery: build
	examples/gallery.sh ./nstfilter

lint: setup
	.ci/lint.sh

api: setup
	.ci/api.sh update

CONTAINER ?= podman
container:
	$(CONTAINER) build --file Containerfile --build-arg VERSION=$(VERSION) --tag nstfilter .

bench: build
	./nstfilter bench

bench-look: build
	bench/look/run.sh run ./nstfilter "$(PAIRS)" $(ARGS)

bench-equal: build
	bench/look/run.sh equal ./nstfilter "$(PAIRS)" $(ARGS)

bench-descent: build
	bench/look/run.sh descent ./nstfilter "$(PAIRS)" $(ARGS)

bench-engine: build
	bench/engine/run.sh $(ARGS)

bench-cuda: setup
	bench/cuda/run.sh $(ARGS)

bench-flow: setup .build/flow/ready
	go run ./bench/flow -python .build/flow/bin/python $(FLOW)

bench-plumbing: build
	go run ./bench/plumbing $(ARGS)

bench-temporal: build
	bench/temporal/run.sh run ./nstfilter "$(STYLE)" "$(PHOTOS)" $(ARGS)

bench-keys: build
	bench/temporal/run.sh keys ./nstfilter "$(STYLE)" "$(PHOTOS)" $(ARGS)

chaos: build
	go run ./bench/chaos $(ARGS)

mutate: build
	go run ./bench/mutate $(ARGS)

soak: build
	go run ./bench/soak -for $(or $(SOAK),2h) $(ARGS)

fuzz: setup
	.ci/fuzz.sh $(FUZZTIME)

release: setup
	@.ci/setup.sh .build arm64
	.ci/release.sh dist

check-release: setup
	@.ci/setup.sh .build arm64
	.ci/check_release.sh

vulncheck: setup
	.ci/vulncheck.sh

.build/flow/ready:
	python3 -m venv .build/flow
	.build/flow/bin/python -m pip --quiet --disable-pip-version-check install opencv-python-headless==5.0.0.* numpy
	touch $@

clean:
	rm -rf nstfilter nstfilter.so demo dist .build
