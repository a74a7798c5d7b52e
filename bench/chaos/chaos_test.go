//go:build linux

package main

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestChaos is a short run of the command.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg")
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "nstfilter")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/nstfilter").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seed := uint64(time.Now().UnixNano())
	c, err := prepare(folder, program, "../../examples/styles/night.jpg", "../../pipeline/faces/testdata/drawn.png", 12, seed)
	if err == nil {
		err = c.run(8)
	}
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	t.Logf("seed %d\n%s", seed, c.table())
}
