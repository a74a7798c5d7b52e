package kernels

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The PTX is of the sources as they are.
func TestPTXIsOfTheseSources(t *testing.T) {
	recorded, err := os.ReadFile("sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	missing := make(map[string]bool)
	for _, pattern := range []string{"*.cu", "*.cuh"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			missing[name] = true
		}
	}
	for line := range strings.Lines(string(recorded)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != sum {
			t.Errorf("%s has changed since the PTX was made: run build.sh", name)
		}
		delete(missing, name)
	}
	for name := range missing {
		t.Errorf("the PTX was made without %s: run build.sh", name)
	}
}

var (
	entry     = regexp.MustCompile(`(?s)\.entry (\w+)\((.*?)\)`)
	parameter = regexp.MustCompile(`\.param ([^,\n]*)`)
	wide      = regexp.MustCompile(`^\.[a-z]64( \.ptr.*)? \w+$`)
)

// gorgonia.org/cu copies 8 bytes for every parameter of a launch.
func TestParametersAre8BytesWide(t *testing.T) {
	for _, module := range []string{"base.ptx.gz", "tensor.ptx.gz", "hopper.ptx.gz"} {
		f, err := os.Open(module)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries := entry.FindAllStringSubmatch(string(text), -1)
		if len(entries) == 0 {
			t.Errorf("%s has no kernels", module)
		}
		for _, e := range entries {
			for _, p := range parameter.FindAllStringSubmatch(e[2], -1) {
				if !wide.MatchString(p[1]) {
					t.Errorf("%s: %s takes %s", module, e[1], p[1])
				}
			}
		}
	}
}
