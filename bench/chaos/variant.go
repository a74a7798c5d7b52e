//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nstfilter/bench/run"
)

// variant is a kind of job. Its command works in a trial's folder and writes to out.
type variant struct {
	name    string
	args    []string
	journal string   // what out may hold beside results until the job is done
	stays   bool     // the journal stays behind it, for the command to paint what is new
	results []string // what out holds in the end
	kills   []kill
	do      func(t *trial, most int) error

	next int           // of kills
	took time.Duration // without kills
	want []byte        // what is made without kills, as made returns it
}

// trial is one job of a variant.
type trial struct {
	*chaos
	variant *variant
	folder  string
	hits    []hit    // kills that came in time
	log     []string // what was done, and what the program said, for whoever reads an error
}

// hit is a kill. done says that the job was complete all the same.
type hit struct {
	how  string
	done bool
}

func (t *trial) note(format string, args ...any) { t.log = append(t.log, fmt.Sprintf(format, args...)) }

// prepare makes the inputs, and what each variant makes without kills.
func prepare(folder, program, style, face string, frames int, seed uint64) (*chaos, error) {
	c := &chaos{folder: folder, random: rand.New(rand.NewPCG(seed, 0)), counts: map[string]*count{}}
	var err error
	if c.program, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	if c.style, err = filepath.Abs(style); err != nil {
		return nil, err
	}
	if face, err = filepath.Abs(face); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(folder, "in"), 0o755); err != nil {
		return nil, err
	}
	seconds := float64(frames) / 25
	for _, line := range []string{
		fmt.Sprintf("-f lavfi -i testsrc2=s=160x96:r=25:d=%g -f lavfi -i sine=d=%g -c:v ffv1 -c:a flac in.mkv", seconds, seconds),
		"-i in.mkv -f yuv4mpegpipe in.y4m",
		fmt.Sprintf("-loop 1 -r 25 -t %g -i %s -vf scale=96:96,pad=160:96:32:0:gray,scroll=h=0.01 -c:v ffv1 face.mkv", seconds, face),
		fmt.Sprintf("-f lavfi -i nullsrc=s=160x96:r=25:d=%g,geq=lum=255*gt(X\\,20+4*N):cb=128:cr=128,format=gray -c:v ffv1 mask.mkv", seconds),
		fmt.Sprintf("-i in.mkv -frames:v %d in/%%05d.png", frames/2),
	} {
		ffmpeg := exec.Command("ffmpeg", append([]string{"-v", "error"}, strings.Fields(line)...)...)
		ffmpeg.Dir = folder
		if out, err := ffmpeg.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ffmpeg %s: %w: %s", line, err, out)
		}
	}
	c.variants = c.allVariants(frames / 2)
	for i, v := range c.variants {
		v.next = c.random.IntN(100)
		if same := c.variants[0]; i > 0 && slices.Equal(v.args, same.args) {
			v.took, v.want = same.took, same.want
		} else if err := c.measure(v); err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return c, nil
}

func (c *chaos) allVariants(count int) []*variant {
	var pictures []string
	photos := []string{"-o", "out/%s.png"}
	for i := range count {
		name := fmt.Sprintf("%05d.png", i+1)
		pictures = append(pictures, name)
		photos = append(photos, filepath.Join("../in", name))
	}
	film := []string{"--encoder", "ffv1", "../in.mkv", "out/o.mkv"}
	all := []*variant{
		{name: "film", args: film, journal: ".o.mkv.nstfilter", results: []string{"o.mkv"}, kills: filmKills, do: (*trial).paintAndKill},
		{name: "two passes", args: append([]string{"--passes", "2", "--lookahead", "8"}, film...), journal: ".o.mkv.nstfilter",
			results: []string{"o.mkv"}, kills: filmKills, do: (*trial).paintAndKill},
		{name: "film with a mask and faces", args: []string{"--style", c.style, "--mask", "../mask.mkv", "--protect", "faces", "--encoder", "ffv1", "../face.mkv", "out/o.mkv"},
			journal: ".o.mkv.nstfilter", results: []string{"o.mkv"}, kills: filmKills, do: (*trial).paintAndKill},
		{name: "film with keys, looped", args: append([]string{"--key", "0.12=../in/00002.png", "--key", "0.36=../in/00005.png", "--loop"}, film...),
			journal: ".o.mkv.nstfilter", results: []string{"o.mkv"}, kills: filmKills, do: (*trial).paintAndKill},
		{name: "pictures with a stride", args: []string{"--stride", "3", "--anew", "../in/%05d.png", "out/%05d.png"}, journal: ".%05d.png.nstfilter", results: pictures,
			kills: programKills, do: (*trial).paintAndKill},
		{name: "image sequence", args: []string{"../in/%05d.png", "out/%05d.png"}, journal: ".%05d.png.nstfilter", results: pictures,
			kills: programKills, do: (*trial).paintAndKill},
		{name: "batch of photos", args: photos, journal: ".%s.png.nstfilter", stays: true, results: pictures, kills: programKills, do: (*trial).paintAndKill},
		{name: "pipe", do: (*trial).breakPipe},
	}
	if os.Getuid() == 0 {
		all = append(all, &variant{name: "full disk", args: film, journal: ".o.mkv.nstfilter", results: []string{"o.mkv"}, do: (*trial).fillDisk})
	} else {
		fmt.Println("a small disk takes root: none fills up")
	}
	return all
}

// command is the program in the trial's folder.
func (c *chaos) command(folder string, args ...string) *run.Program {
	return run.New(folder, c.program, append([]string{"--style", c.style, "--iterations", "2", "--iterations-per-frame", "1",
		"--progress", "plain"}, args...)...)
}

func (v *variant) pipe() bool { return len(v.args) == 0 }

// measure does the variant's job without kills.
func (c *chaos) measure(v *variant) error {
	folder := filepath.Join(c.folder, "whole-"+strings.ReplaceAll(v.name, " ", "-"))
	if err := os.MkdirAll(filepath.Join(folder, "out"), 0o755); err != nil {
		return err
	}
	p := c.command(folder, v.args...)
	if v.pipe() {
		in, err := os.Open(filepath.Join(c.folder, "in.y4m"))
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(folder, "out", "o.y4m"))
		if err != nil {
			return err
		}
		defer out.Close()
		p.Stdin, p.Stdout = in, out
		v.results = []string{"o.y4m"}
	}
	began := time.Now()
	words, err := p.Run()
	v.took = time.Since(began)
	if err != nil || !p.ProcessState.Success() {
		return fmt.Errorf("%v %v: %s", err, p.ProcessState, words)
	}
	v.want, err = v.made(folder)
	return err
}

// made returns the frames of the results in folder, or their hashes.
func (v *variant) made(folder string) ([]byte, error) {
	var all bytes.Buffer
	for _, name := range v.results {
		path := filepath.Join(folder, "out", name)
		if filepath.Ext(name) == ".mkv" {
			hashes, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0", "-f", "framemd5", "-").Output()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all.Write(hashes)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if filepath.Ext(name) == ".y4m" {
			return data, nil
		}
		fmt.Fprintf(&all, "%s %x\n", name, sha256.Sum256(data))
	}
	return all.Bytes(), nil
}

// compare reports results that are not the same as without kills, and whatever is left
// beside them.
func (t *trial) compare() error {
	got, err := t.variant.made(t.folder)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, t.variant.want) {
		return fmt.Errorf("the result is another:\n%s\nwithout kills:\n%s", got, t.variant.want)
	}
	return run.CheckLeft(t.folder, "out", func(name string) bool {
		return t.variant.isResult(name) || t.variant.stays && name == t.variant.journal
	})
}
