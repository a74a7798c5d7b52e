//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"nstfilter/bench/run"
)

// kind is a kind of files that the program reads.
type kind struct {
	name   string
	whole  string   // folder with what is copied for each run
	damage []string // globs of the files there, one of which is damaged
	args   []string
	stdin  string // file that is its stdin; empty: none
	result string // below out
}

// place copies the kind's files into folder and damages one. how says which, and how.
func (k *kind) place(folder string, r *rand.Rand) (how string, err error) {
	if err := os.CopyFS(folder, os.DirFS(k.whole)); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(folder, k.damage[r.IntN(len(k.damage))]))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s: nothing to damage: %v", k.name, err)
	}
	file := files[r.IntN(len(files))]
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	d := damages[r.IntN(len(damages))]
	err = os.WriteFile(file, d.do(data, r), 0o600)
	return filepath.Base(file) + ": " + d.name, err
}

// prepare makes whole files of all kinds.
func (m *mutate) prepare(program string) (err error) {
	if m.program, err = filepath.Abs(program); err != nil {
		return err
	}
	weights, err := filepath.Abs("weights/slim/slim.f16.safetensors")
	if err != nil {
		return err
	}
	made := filepath.Join(m.folder, "made")
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	for _, line := range []string{
		"ffmpeg -v error -f lavfi -i testsrc2=s=48x32 -frames:v 1 in.png",
		"ffmpeg -v error -f lavfi -i mandelbrot=s=48x32 -frames:v 1 s.png",
		"ffmpeg -v error -f lavfi -i testsrc2=s=48x32:r=25:d=0.2 -f lavfi -i sine=d=0.2 -shortest -pix_fmt yuv420p in.mkv",
		"ffmpeg -v error -i in.mkv in.mp4",
		"ffmpeg -v error -i in.mkv in.webm",
		"ffmpeg -v error -i in.mkv -an in.gif",
		"ffmpeg -v error -i in.mkv -f yuv4mpegpipe in.y4m",
		"ffmpeg -v error -i in.mkv -an -c:v rawvideo -f nut in.nut",
		"cp " + weights + " w.safetensors",
		m.program + " flow in.png s.png in.flo",
	} {
		if err := shell(made, line); err != nil {
			return err
		}
	}
	preset := map[string]any{"iterations": "2,1", "tv-weight": 50, "style-layers": "relu1_1:64,relu2_1:16", "style-sizes": "1,2", "no-style-colors": true, "flow": "fast", "init": "recolored"}
	text, err := json.MarshalIndent(preset, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(made, "p.json"), text, 0o600); err != nil {
		return err
	}
	return m.addKinds(made)
}

func shell(folder, line string) error {
	words := strings.Fields(line)
	c := exec.Command(words[0], words[1:]...)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, out)
	}
	return nil
}

// addKinds lists the kinds. Photos are of all formats that this build of the
// program writes.
func (m *mutate) addKinds(made string) error {
	paint := []string{"--style", "s.png", "--size", "32", "--iterations", "1", "--iterations-per-frame", "1", "--progress", "plain"}
	add := func(name, damage, result string, args ...string) error {
		k := kind{name: name, whole: filepath.Join(m.folder, "whole-"+name), damage: []string{damage}, args: args, result: result}
		for _, file := range []string{"in.png", "s.png", damage} {
			if err := copyFile(filepath.Join(made, file), filepath.Join(k.whole, file)); err != nil {
				return err
			}
		}
		m.kinds = append(m.kinds, k)
		return nil
	}
	for _, extension := range []string{".jpg", ".png", ".tif", ".webp", ".heic", ".avif", ".jxl", ".jp2", ".bmp"} {
		name := strings.TrimPrefix(extension, ".")
		file := "photo" + extension
		if err := shell(made, strings.Join([]string{m.program, "--style s.png --iterations 0 in.png", file}, " ")); err != nil {
			fmt.Printf("%s is not written: %v\n", name, strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		if err := add(name, file, "o.png", append(paint, file, "out/o.png")...); err != nil {
			return err
		}
	}
	for _, film := range []string{"in.mkv", "in.mp4", "in.webm", "in.gif"} {
		if err := add("film-"+film[3:], film, "o.mkv", append(paint, "--encoder", "ffv1", film, "out/o.mkv")...); err != nil {
			return err
		}
	}
	for _, stream := range []string{"in.y4m", "in.nut"} {
		if err := add("pipe-"+stream[3:], stream, "o", paint...); err != nil {
			return err
		}
		m.kinds[len(m.kinds)-1].stdin = stream
	}
	for _, k := range []struct {
		name, file string
		args       []string
	}{
		{"preset", "p.json", append(paint, "--preset", "p.json", "in.png", "out/o.png")},
		{"weights", "w.safetensors", append(paint, "--weights", "w.safetensors", "in.png", "out/o.png")},
		{"flow", "in.flo", []string{"flow", "in.flo", "out/o.png"}},
	} {
		if err := add(k.name, k.file, "o.png", k.args...); err != nil {
			return err
		}
	}
	return m.addJournal(made, append(paint, "--encoder", "ffv1", "in.mkv", "out/o.mkv"))
}

// addJournal kills a job, and adds what it leaves as a kind.
func (m *mutate) addJournal(made string, args []string) error {
	k := kind{name: "journal", whole: filepath.Join(m.folder, "whole-journal"), args: args, result: "o.mkv"}
	for _, file := range []string{"record.json", "frames", "state-*"} {
		k.damage = append(k.damage, filepath.Join("out", ".o.mkv.nstfilter", file))
	}
	for _, file := range []string{"in.mkv", "s.png"} {
		if err := copyFile(filepath.Join(made, file), filepath.Join(k.whole, file)); err != nil {
			return err
		}
	}
	if err := shell(k.whole, "ffmpeg -v error -y -f lavfi -i testsrc2=s=48x32:r=25:d=4 in.mkv"); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(k.whole, "out"), 0o755); err != nil {
		return err
	}
	p := run.New(k.whole, m.program, args...)
	if err := p.Start(); err != nil {
		return err
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		record, _ := os.ReadFile(filepath.Join(k.whole, "out", ".o.mkv.nstfilter", "record.json"))
		if bytes.Contains(record, []byte(`"state"`)) {
			break
		}
		if time.Since(began) > run.Patience {
			p.Process.Kill()
			return fmt.Errorf("no frame is done: %s", p.Wait())
		}
	}
	p.Process.Kill()
	p.Wait()
	partial, _ := filepath.Glob(filepath.Join(k.whole, "out", ".o.mkv.nstfilter", ".*.partial.*"))
	for _, path := range append(partial, run.Temp(k.whole)) { // what a kill may leave
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	m.kinds = append(m.kinds, k)
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
