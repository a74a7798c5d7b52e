package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock/syscall"
	"github.com/rogpeppe/go-internal/testscript"

	"nstfilter/pipeline/engines"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nstfilter": main})
}

// TestScripts runs testdata/*.txtar. Beside testscript's own commands they have
//
//	exits CODE COMMAND…                   the exit code must be CODE
//	interrupt CODE TIMES FILE COMMAND…    SIGINT, TIMES (1 or 2) times, once FILE has a line
//	picture FILE W H SEED                 a PNG of waves
//	lines FILE N                          FILE is N lines of JSON
//	left FOLDER NAME…                     FOLDER holds these names and no other
//	dies CODE WHO FILE COMMAND…           see there
//	disk FOLDER SIZE                      FOLDER is a disk of SIZE (mount's words)
//
// and the conditions ffmpeg, disk and landlock; SLIM is the embedded network's file,
// VGG19 a narrow one that PyTorch has saved.
func TestScripts(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("NSTFILTER_REQUIRE_FFMPEG") != "" {
			t.Fatal(err)
		}
		t.Log("without ffmpeg: what needs it is skipped")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FFMPEG", ffmpeg)
			e.Setenv("NSTFILTER_LIBCUDA", os.Getenv("NSTFILTER_LIBCUDA"))
			slim, err := filepath.Abs("../../weights/slim/slim.f16.safetensors")
			e.Setenv("SLIM", slim)
			e.Setenv("VGG19", filepath.Join(filepath.Dir(slim), "../testdata/vgg19.legacy.pth"))
			return err
		},
		Condition: func(c string) (bool, error) {
			return c == "ffmpeg" && ffmpeg != "" || c == "disk" && mounts(t) || c == "landlock" && landlock() || slices.Contains(engines.Builtin.Names(), c), nil
		},
		Cmds: scriptCommands,
	})
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits": exits, "interrupt": interrupt, "picture": picture, "lines": lines, "left": left, "disk": disk,
}

// landlock reports whether the sandbox can keep this system's files and network shut.
func landlock() bool {
	abi, err := syscall.LandlockGetABIVersion()
	return err == nil && abi >= 4
}

// mounts reports whether this user may mount a small disk.
func mounts(t *testing.T) bool {
	folder := t.TempDir()
	if err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder).Run(); err != nil {
		return false
	}
	return exec.Command("umount", folder).Run() == nil
}

func disk(ts *testscript.TestScript, _ bool, args []string) {
	folder := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(folder, 0o755))
	ts.Check(exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", folder).Run())
	ts.Defer(func() { exec.Command("umount", folder).Run() })
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, code := number(ts, args[0]), 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	want, times, file := number(ts, args[0]), number(ts, args[1]), ts.MkAbs(args[2])
	c := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args[3:]...)...)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	var stderr bytes.Buffer
	c.Stderr = &stderr
	in, err := c.StdinPipe() // held open: a live input that stalls
	ts.Check(err)
	defer in.Close()
	ts.Check(c.Start())
	deadline := time.Now().Add(time.Minute)
	for {
		if data, _ := os.ReadFile(file); bytes.Contains(data, []byte("\n")) {
			break
		}
		if time.Now().After(deadline) {
			c.Process.Kill()
			c.Wait()
			ts.Fatalf("no line in %s:\n%s", file, stderr.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.Process.Signal(os.Interrupt)
	if times > 1 { // until it has ended: signals may merge, and a third changes nothing
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			for {
				select {
				case <-again.C:
					c.Process.Signal(os.Interrupt)
				case <-ended:
					return
				}
			}
		}()
	}
	kill := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer kill.Stop()
	c.Wait()
	ts.Logf("%s", stderr.String())
	if code := c.ProcessState.ExitCode(); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func picture(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writePNG(ts.MkAbs(args[0]), waves(number(ts, args[1]), number(ts, args[2]), number(ts, args[3]))))
}

// waves is a picture of waves.
func waves(w, h, seed int) image.Image {
	m, s := image.NewNRGBA(image.Rect(0, 0, w, h)), float64(seed)
	wave := func(x float64) uint8 { return uint8(127 + 120*math.Sin(x)) }
	for y := range h {
		for x := range w {
			a, b := float64(x), float64(y)
			m.Set(x, y, color.NRGBA{wave(a/5 + s), wave(b/(3+s) + a/9), wave((a + b) / 4 * s), 255})
		}
	}
	return m
}

func writePNG(name string, m image.Image) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, m), f.Close())
}

func lines(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	all := strings.Split(text, "\n")
	if len(all) != number(ts, args[1]) {
		ts.Fatalf("%d lines, want %s", len(all), args[1])
	}
	for _, line := range all {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("not JSON: %s", line)
		}
	}
}

func left(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), strings.Join(args[1:], " "); got != want {
		ts.Fatalf("%s holds %q, want %q", args[0], got, want)
	}
}
