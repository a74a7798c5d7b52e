package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
)

// version is what git describe says. The linker sets it (Makefile, .ci/release.sh).
var version string

type versionCmd struct{}

func (versionCmd) Run(e *commandEnv) error {
	names := engines.Builtin.Names()
	built := func(with string, engine string) string {
		if slices.Contains(names, engine) {
			return "with " + with
		}
		return "without " + with
	}
	fmt.Println(versionText())
	fmt.Printf("%s %s/%s, %s, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, built("cgo", "cpu"), built("cuda", "cuda"))
	fmt.Printf("engines: %s\n", strings.Join(names, ", "))
	if slices.Contains(names, "cuda") {
		gpus, err := engines.GPUs()
		if err != nil {
			gpus = []string{"cuda: " + err.Error()}
		}
		for _, gpu := range gpus {
			fmt.Println(gpu)
		}
	}
	fmt.Printf("photos: %s\n", photo.Library())
	ffmpeg, err := video.FFmpegVersion(e.ctx)
	if err != nil {
		fmt.Printf("film: %v\n", err)
		return nil
	}
	fmt.Printf("film: ffmpeg %s\n", ffmpeg)
	return nil
}

// versionText returns the program's name and version. Where the linker did not set it, go
// build and go install know it from git or from the module.
func versionText() string {
	version := version
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		version = info.Main.Version
	}
	return "nstfilter " + version
}
