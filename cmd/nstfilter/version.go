package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"nstfilter/pipeline/engines"
)

// version is what git describe says of a release, set by its linker (.ci/release.sh).
var version string

type versionCmd struct{}

func (versionCmd) Run(e *commandEnv) error {
	fmt.Println(versionText())
	fmt.Printf("%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("engines: %s\n", strings.Join(engines.Builtin.Names(), ", "))
	if slices.Contains(engines.Builtin.Names(), "cuda") {
		gpus, err := engines.GPUs()
		if err != nil {
			gpus = []string{"cuda: " + err.Error()}
		}
		for _, gpu := range gpus {
			fmt.Println(gpu)
		}
	}
	for _, tool := range [][]string{{"vips", "--version"}, {"ffmpeg", "-version"}} {
		out, err := exec.CommandContext(e.ctx, tool[0], tool[1:]...).Output()
		line, _, _ := strings.Cut(string(out), "\n")
		if err != nil {
			line = tool[0] + ": not found"
		}
		fmt.Println(line)
	}
	return nil
}

// versionText returns the program's version and the revision that it was built from.
func versionText() string {
	if version != "" {
		return "nstfilter " + version
	}
	version, revision := "(unknown)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				revision += " with changes"
			}
		}
	}
	return "nstfilter " + version + revision
}
