package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"nstfilter/pipeline"
	"nstfilter/pipeline/engines"
)

// evidence is what shows that an option does something: a comparison with a result without it,
// or else a test elsewhere.
type evidence struct {
	beside string   // given with the option and without it
	values []string // each is tried; none for a switch
	film   bool     // f.y4m in a pipe is painted, else p.png
	pixels string   // same, any, or else they must differ

	// An error with this text will do: the machine lacks what the option asks for.
	refused string

	check func(t *testing.T, without, with outcome)

	// The test in this file has these texts in this order: a use of the option, and what fails
	// if it does nothing.
	file  string
	lines []string
}

// outcome is what a command has left.
type outcome struct {
	w, h   int
	pixels []float64       // R, G, B of each pixel in 0..1; of a film all bytes
	stats  []pipeline.Stat // of each picture
	said   string          // on stderr
}

func (o outcome) steps() (steps []int) {
	for _, s := range o.stats {
		steps = append(steps, s.Iterations)
	}
	return steps
}

// optionsWork is about every declared option, in the order of docs/options.md.
var optionsWork = map[string]evidence{
	// The job.
	"style":         {beside: "--iterations 2", values: []string{"t.png"}},
	"strength":      {beside: "--iterations 2", values: []string{"black.png"}, check: asPhoto},
	"protect":       {file: "../../pipeline/maps_test.go", lines: []string{`j.Protect, j.Strength`, `face > 0 ||`}},
	"key":           {file: "testdata/keyframes.txtar", lines: []string{"--key 0.4=key.png", "cmp key.gray second.gray"}},
	"mask":          {beside: "--iterations 2 --style t.png", values: []string{"halves.png"}},
	"style-mask":    {beside: "--iterations 2 --style t.png --mask halves.png", values: []string{"s.white.png --style-mask t.black.png"}, check: as("--iterations 2 --style t.png --mask swapped.png")},
	"output":        {file: "testdata/photo.txtar", lines: []string{"-o 'out/%s_x.png' p.png t.png", "left out .%s_x.png.nstfilter p_x.png t_x.png"}},
	"recursive":     {file: "testdata/photos.txtar", lines: []string{"--recursive in out", "left out/sub a.png deep"}},
	"output-format": {file: "testdata/pipe.txtar", lines: []string{"--output-format y4m <in.nut >alpha.y4m", "stdout 'YUV4MPEG2 "}},
	"overwrite":     {file: "testdata/names.txtar", lines: []string{"--iterations 1 p.png out/o.png", "stderr 'out/o.png exists: add -y'", "exec nstfilter --style s.png --iterations 1 -y p.png out/o.png"}},
	"restart":       {file: "testdata/failures.txtar", lines: []string{"stderr '^nstfilter: nothing to do", "--restart -y", "stderr '3 inputs: 3 painted'"}},
	"no-resume":     {file: "testdata/timeline.txtar", lines: []string{"--no-resume bad/%d.png left/%d.png", "stderr 'paint that "}},
	"preset":        {file: "testdata/photo.txtar", lines: []string{"--preset two.json p.png out/g.png", `grep '"iterations":3,' g.json`, "--preset fine", "stderr 'network vgg16'"}},
	"save-preset":   {file: "testdata/preset.txtar", lines: []string{"--save-preset mine", `grep '"iterations": "2"'`}},
	"device":        {beside: "-v --iterations 1", values: []string{"gorgonia"}, check: says("gorgonia computes")},
	"isa":           {beside: "-v --iterations 1", values: []string{"plain"}, pixels: "any", check: says("cpu plain, ")},
	"threads":       {beside: "-v --iterations 1", values: []string{"3"}, pixels: "same", check: says(", 3 threads")},
	"jobs":          {file: "testdata/photos.txtar", lines: []string{"--jobs 3 --threads 4", "stderr -count=3 ', 1 thread computes'"}},
	"max-memory":    {file: "testdata/failures.txtar", lines: []string{"exits 2 nstfilter --style s.png --max-memory 1M p.png", "allow more'"}},
	"max-pixels":    {file: "testdata/failures.txtar", lines: []string{"exits 1 nstfilter --style s.png --max-pixels 1100 p.png", "stderr 'p.png: 48×32 is more than 1100 pixels"}},
	"network":       {beside: "-v --iterations 1 --min-size 32", values: []string{"vgg16", "slim+vgg16"}, check: says("network vgg16")},
	"weights":       {beside: "--iterations 1", values: []string{"vgg16.safetensors"}, check: as("--iterations 1 --network vgg16")},
	"max-temp":      {file: "testdata/passes.txtar", lines: []string{"--passes 2 --max-temp 1K", "stderr 'frame 0 takes .* --max-temp allows'"}},
	"zero-latency":  {file: "../../pipeline/zero_latency_test.go", lines: []string{"Options{ZeroLatency: true}", `"asked 0", "written 0", "asked 1"`}},
	"progress":      {beside: "--iterations 1", values: []string{"json", "plain", "bar"}, pixels: "same", check: saysMore},
	"quiet": {beside: "--iterations 1 -v", pixels: "same", check: func(t *testing.T, _, with outcome) {
		if with.said != "" {
			t.Errorf("it says %q", with.said)
		}
	}},
	"stats":         {file: "testdata/photo.txtar", lines: []string{"--stats one.json", "lines one.json 1"}},
	"no-record":     {file: "testdata/explain.txtar", lines: []string{"--no-record out/a.jpg out/e.png", "exits 1 nstfilter explain out/e.png", "stderr 'out/e.png: it has no record"}},
	"no-sandbox":    {file: "testdata/sandbox.txtar", lines: []string{"--no-sandbox", "grep 'the key' .tmp/read"}},
	"preview":       {file: "preview_test.go", lines: []string{`"--preview", "--style"`, `now.factors.content === 4`}},
	"preview-token": {file: "../../pipeline/preview/server_test.go", lines: []string{"Token: token", "StatusForbidden"}},
	"verbose":       {beside: "--iterations 1", pixels: "same", check: saysMore},

	// What decides the pixels.
	"size":                 {beside: "--iterations 2", values: []string{"24"}, check: paintedAt(24, 16, 48, 32)},
	"output-size":          {beside: "--iterations 2 --size 24", values: []string{"work"}, check: paintedAt(24, 16, 24, 16)},
	"iterations":           {values: []string{"2"}, check: steps(70, 2)},
	"iterations-per-frame": {beside: "--iterations 2 --frame-tolerance 0", film: true, values: []string{"1"}, check: stepsOfFrame(3, 5, 1)},
	"frame-tolerance":      {beside: "--iterations 2", film: true, values: []string{"1"}, check: fewerSteps},
	"deadline":             {beside: "--iterations 4", film: true, values: []string{"1ns"}, check: fewerSteps},
	"min-size":             {beside: "--iterations 2", values: []string{"20"}, check: steps(2, 4)},
	"margin":               {beside: "--iterations 2", values: []string{"0", "8"}},
	"tolerance":            {beside: "--iterations 25", values: []string{"1"}, check: fewerSteps},
	"optimizer":            {beside: "--iterations 2", values: []string{"adam"}},
	"learning-rate":        {beside: "--iterations 2 --optimizer adam", values: []string{"0.1"}},
	"average":              {beside: "--iterations 2 --optimizer adam", values: []string{"0", "0.99"}},
	"parameters":           {beside: "--iterations 2", values: []string{"pyramid"}},
	"init":                 {beside: "--iterations 1", values: []string{"content", "random", "image:t.png"}},
	"original-colors":      {beside: "--iterations 2", check: nearer(chroma, "p.png")},
	"color-match":          {beside: "--iterations 2", values: []string{"mean-covariance", "histogram"}, check: nearer(mean, "p.png")},
	"no-style-colors":      {beside: "--iterations 1 --init content", check: farther(mean, "s.png")},
	"seed":                 {beside: "--iterations 1 --init random", values: []string{"7"}},
	"loss-scale":           {beside: "--iterations 2", values: []string{"sum"}},
	"style-layers":         {beside: "--iterations 2", values: []string{"balanced", "relu1_1:1"}},
	"style-loss":           {beside: "--iterations 2", values: []string{"gram", "gram+moments", "covariance", "shifted", "wasserstein"}},
	"layer-reach":          {beside: "--iterations 2", values: []string{"100"}},
	"style-sizes":          {beside: "--iterations 2", values: []string{"1"}},
	"content-layers":       {beside: "--iterations 2", values: []string{"relu3_1"}},
	"style-weight":         {beside: "--iterations 2", values: []string{"0", "3"}},
	"content-weight":       {beside: "--iterations 4 --init content --no-style-colors", values: []string{"100"}, check: nearer(every, "p.png")},
	"tv-weight":            {beside: "--iterations 4", values: []string{"10000"}, check: smoother},
	"gamut-weight":         {beside: "--iterations 4 --init random", values: []string{"0", "10000"}},
	"temporal-weight":      {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"0", "100"}},
	"style-scale":          {beside: "--iterations 2", values: []string{"2", "0.5,1"}},
	"style-blend-weights":  {beside: "--iterations 2 --style t.png", values: []string{"0,1", "3,1"}},
	"precision":            {beside: "--iterations 2", values: []string{"mixed", "bf16"}, refused: "has no bfloat16 products"},
	"pooling":              {beside: "--iterations 2 --network vgg16 --pooling avg", values: []string{"max", "network"}},

	// Film.
	"style-fade":      {beside: "--iterations 2 --iterations-per-frame 2 --style t.png@0:0.12", film: true, values: []string{"0s"}, check: moreStepsAt(3)},
	"flow":            {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"none", "ultrafast", "fast", "fine"}},
	"flow-from":       {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"flows"}},
	"long-term":       {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"1"}},
	"settle":          {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"0", "2"}},
	"cut":             {beside: "--iterations 9", film: true, values: []string{"1"}, check: fewerSteps},
	"passes":          {beside: "--iterations 2 --frame-tolerance 0", film: true, values: []string{"2"}, check: stepsOfFrame(3, 5, 10)},
	"stride":          {file: "../../pipeline/stride_test.go", lines: []string{"j.Coherence.Stride = c.stride", "o.iterations, c.want"}},
	"anew":            {file: "../../pipeline/stride_test.go", lines: []string{"j.Coherence.Anew = c.anew", "o.iterations, c.want"}},
	"loop":            {file: "../../pipeline/stride_test.go", lines: []string{"j.Coherence.Loop = loop", "distance[true] > distance[false]/2"}},
	"lookahead":       {beside: "--iterations 2 --iterations-per-frame 2 --passes 2", film: true, values: []string{"2"}},
	"colorspace":      {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"bt709", "bt2020"}},
	"color-range":     {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"full"}},
	"no-audio":        {file: "testdata/film.txtar", lines: []string{"--no-audio", "! stdout audio"}},
	"color-transfer":  {beside: "--iterations 2 --iterations-per-frame 2", film: true, values: []string{"pq", "hlg"}},
	"rate":            {file: "testdata/convert.txtar", lines: []string{"--rate 24000/1001 p/%03d.png", "24000/1001,6$'"}},
	"start":           {file: "testdata/film.txtar", lines: []string{"--start 0:00.3 --duration 0.4", "0.10.000"}},
	"duration":        {file: "testdata/film.txtar", lines: []string{"--start 0:00.3 --duration 0.4", "0.30.000\\nffv1'"}},
	"no-deinterlace":  {file: "../../video/matrix_test.go", lines: []string{`set: "no-deinterlace=true"`, `r.note == "" && notes != ""`}},
	"hwaccel":         {file: "../../video/matrix_test.go", lines: []string{`"hwaccel=vdpau", "without --hwaccel the processor decodes"`}},
	"encoder":         {file: "testdata/film.txtar", lines: []string{"--encoder ffv1", "ffv1'"}},
	"encoder-options": {file: "../../video/matrix_test.go", lines: []string{`"encoder-options=preset=sideways", "sideways"`}},
}

// Every option is in the table, and does what the table says. Painting takes C.
func TestOptionsWork(t *testing.T) {
	paints := !testing.Short() && slices.Contains(engines.Builtin.Names(), "cpu")
	texts := map[string]string{}
	for _, e := range optionsWork {
		if text, err := os.ReadFile(e.file); e.file != "" && err != nil {
			t.Error(err)
		} else {
			texts[e.file] = string(text)
		}
	}
	if paints {
		makeOptionFiles(t)
	}
	known := map[string]bool{}
	results := map[string]outcome{} // without the options
	for _, o := range declaredOptions(defaultSettings()) {
		known[o.name] = true
		t.Run(o.name, func(t *testing.T) {
			e, ok := optionsWork[o.name]
			switch {
			case !ok:
				t.Error("no test shows that it works: add it to optionsWork")
			case e.file != "":
				inOrder(t, texts[e.file], e)
			case paints:
				e.compare(t, o, results)
			}
		})
	}
	for name := range optionsWork {
		if !known[name] {
			t.Errorf("--%s is in optionsWork, and is no option", name)
		}
	}
}

func inOrder(t *testing.T, text string, e evidence) {
	for _, line := range e.lines {
		_, rest, ok := strings.Cut(text, line)
		if !ok {
			t.Fatalf("%s has no %q any more: say what shows now that the option works", e.file, line)
		}
		text = rest
	}
}

func (e evidence) compare(t *testing.T, o declaredOption, results map[string]outcome) {
	key := fmt.Sprint(e.beside, e.film)
	if _, ok := results[key]; !ok {
		without, err := runHere(e.beside, e.film)
		if err != nil {
			t.Fatalf("without it: %v", err)
		}
		results[key] = without
	}
	commands := []string{"--" + o.name}
	if !o.isBool() {
		commands = nil
		for _, v := range e.values {
			commands = append(commands, "--"+o.name+" "+v)
		}
	}
	for _, c := range commands {
		t.Run(c, func(t *testing.T) {
			without := results[key]
			with, err := runHere(e.beside+" "+c, e.film)
			if err != nil && e.refused != "" && strings.Contains(err.Error(), e.refused) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if same := slices.Equal(without.pixels, with.pixels); e.pixels != "any" && same != (e.pixels == "same") {
				t.Errorf("the same pixels with it and without: %v", same)
			}
			if e.check != nil {
				e.check(t, without, with)
			}
		})
	}
}

// runHere paints p.png, or f.y4m in a pipe, in this process and in the current folder.
func runHere(options string, film bool) (o outcome, err error) {
	args := append(strings.Fields("--no-sandbox --style s.png --stats stats.json -y"), strings.Fields(options)...)
	if !strings.Contains(options, "--progress") {
		args = append(args, "--progress", "none")
	}
	if !strings.Contains(options, "--device") {
		args = append(args, "--device", "cpu")
	}
	if !film {
		args = append(args, "p.png", "o.png")
	}
	in, err1 := os.Open("f.y4m")
	out, err2 := os.Create("o.y4m")
	words, err3 := os.Create("words")
	if err := errors.Join(err1, err2, err3); err != nil {
		return o, err
	}
	defer func(i, o, e *os.File, threads int) {
		os.Stdin, os.Stdout, os.Stderr = i, o, e
		runtime.GOMAXPROCS(threads)
		err = errors.Join(err, in.Close(), out.Close(), words.Close())
	}(os.Stdin, os.Stdout, os.Stderr, runtime.GOMAXPROCS(0))
	os.Stdin, os.Stdout, os.Stderr = in, out, words
	ctx := context.Background()
	command, err := parseArgs(args, &commandEnv{ctx: ctx, stop: ctx})
	if err != nil {
		return o, err
	}
	if err := command(); err != nil {
		return o, err
	}
	return readOutcome(film)
}

func readOutcome(film bool) (o outcome, err error) {
	if film {
		data, err := os.ReadFile("o.y4m")
		if err != nil {
			return o, err
		}
		for _, b := range data {
			o.pixels = append(o.pixels, float64(b))
		}
	} else if o, err = readPicture("o.png"); err != nil {
		return o, err
	}
	stats, err1 := os.ReadFile("stats.json")
	said, err2 := os.ReadFile("words")
	if err := errors.Join(err1, err2); err != nil {
		return o, err
	}
	for line := range strings.Lines(string(stats)) {
		var s pipeline.Stat
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return o, err
		}
		o.stats = append(o.stats, s)
	}
	o.said = string(said)
	return o, nil
}

func readPicture(name string) (o outcome, err error) {
	f, err := os.Open(name)
	if err != nil {
		return o, err
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		return o, err
	}
	o.w, o.h = m.Bounds().Dx(), m.Bounds().Dy()
	for y := range o.h {
		for x := range o.w {
			r, g, b, _ := m.At(x, y).RGBA()
			o.pixels = append(o.pixels, float64(r)/65535, float64(g)/65535, float64(b)/65535)
		}
	}
	return o, nil
}

// makeOptionFiles goes to a new folder and writes there what the commands of optionsWork name.
func makeOptionFiles(t *testing.T) {
	network, err := filepath.Abs("../../weights/vgg16/vgg16.f16.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, m := range map[string]image.Image{
		"s.png": waves(40, 32, 1), "t.png": waves(32, 40, 3), "p.png": waves(48, 32, 2),
		"black.png": halves(48, 32, color.Black, color.Black), "s.white.png": halves(40, 32, color.White, color.White), "t.black.png": halves(32, 40, color.Black, color.Black),
		"halves.png": halves(48, 32, color.Black, color.White), "swapped.png": halves(48, 32, color.White, color.Black),
	} {
		err = errors.Join(err, writePNG(name, m))
	}
	err = errors.Join(err, os.Symlink(network, "vgg16.safetensors"), os.Mkdir("flows", 0o755), os.WriteFile("f.y4m", tinyFilm(), 0o644))
	flow := binary.LittleEndian.AppendUint64([]byte("PIEH"), filmW|filmH<<32)
	for range filmW * filmH {
		flow = binary.LittleEndian.AppendUint32(flow, math.Float32bits(5))
		flow = binary.LittleEndian.AppendUint32(flow, 0)
	}
	for i := 1; i < filmFrames; i++ {
		err = errors.Join(err, os.WriteFile(fmt.Sprintf("flows/forward_%d_%d.flo", i, i+1), flow, 0o644),
			os.WriteFile(fmt.Sprintf("flows/backward_%d_%d.flo", i+1, i), flow, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// halves is a picture of two colours.
func halves(w, h int, left, right color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		c := left
		if i%w >= w/2 {
			c = right
		}
		m.Set(i%w, i/w, c)
	}
	return m
}

const filmW, filmH, filmFrames = 48, 32, 8

// tinyFilm is a pan with a box that moves the other way, and a cut before the last two frames.
func tinyFilm() []byte {
	const size = filmW * filmH
	film := fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C444\n", filmW, filmH)
	scenes, box := []image.Image{waves(80, filmH, 2), waves(80, filmH, 9)}, waves(12, 16, 5)
	for i := range filmFrames {
		film = append(film, "FRAME\n"...)
		frame := make([]byte, 3*size)
		for k := range size {
			x, y := k%filmW, k/filmW
			c := scenes[i/6].At(x+2*i, y)
			if at := image.Pt(x-30+3*i, y-8); at.In(box.Bounds()) {
				c = box.At(at.X, at.Y)
			}
			r, g, b, _ := c.RGBA()
			frame[k], frame[size+k], frame[2*size+k] = byte(16+r>>9+g>>10), byte(64+g>>9), byte(64+b>>9)
			if i >= 6 {
				frame[k] = 235 - frame[k]/2
			}
		}
		film = append(film, frame...)
	}
	return film
}

// What options promise.

func says(words string) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, without, with outcome) {
		if strings.Contains(without.said, words) || !strings.Contains(with.said, words) {
			t.Errorf("without it %q is said, with it %q; want %q", without.said, with.said, words)
		}
	}
}

func saysMore(t *testing.T, without, with outcome) {
	if len(with.said) <= len(without.said) {
		t.Errorf("without it %q is said, with it %q", without.said, with.said)
	}
}

func asPhoto(t *testing.T, _, with outcome) {
	if p, err := readPicture("p.png"); err != nil || !slices.Equal(p.pixels, with.pixels) {
		t.Errorf("not the photo as it was (error %v)", err)
	}
}

func as(command string) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, _, with outcome) {
		if o, err := runHere(command, false); err != nil || !slices.Equal(o.pixels, with.pixels) {
			t.Errorf("not the result of %s (error %v)", command, err)
		}
	}
}

// paintedAt wants a picture of w×h that comes out as outW×outH.
func paintedAt(w, h, outW, outH int) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, _, with outcome) {
		s := with.stats[0]
		if got, want := []int{s.Width, s.Height, with.w, with.h}, []int{w, h, outW, outH}; !slices.Equal(got, want) {
			t.Errorf("painted at and of size %d, want %d", got, want)
		}
	}
}

func steps(without, with int) func(*testing.T, outcome, outcome) {
	return stepsOfFrame(0, without, with)
}

func stepsOfFrame(i, without, with int) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, a, b outcome) {
		if a.steps()[i] != without || b.steps()[i] != with {
			t.Errorf("%d steps without it, %d with it, want %d and %d of frame %d", a.steps(), b.steps(), without, with, i)
		}
	}
}

func fewerSteps(t *testing.T, without, with outcome) {
	sum := func(o outcome) (n int) {
		for _, s := range o.steps() {
			n += s
		}
		return n
	}
	if sum(with) >= sum(without) {
		t.Errorf("%d steps without it, %d with it, want fewer", without.steps(), with.steps())
	}
}

func moreStepsAt(frame int) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, without, with outcome) {
		if with.steps()[frame] <= without.steps()[frame] {
			t.Errorf("%d steps without it, %d with it, want more for frame %d", without.steps(), with.steps(), frame)
		}
	}
}

// farther wants more difference from a picture, measured by what.
func farther(what func(a, b outcome) float64, file string) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, without, with outcome) { nearer(what, file)(t, with, without) }
}

// nearer wants less.
func nearer(what func(a, b outcome) float64, file string) func(*testing.T, outcome, outcome) {
	return func(t *testing.T, without, with outcome) {
		t.Helper()
		p, err := readPicture(file)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := what(p, without), what(p, with); b >= a {
			t.Errorf("%.3f from %s, and then %.3f, want less", a, file, b)
		}
	}
}

// every is the mean difference of samples.
func every(a, b outcome) (d float64) {
	for i, v := range a.pixels {
		d += math.Abs(v - b.pixels[i])
	}
	return d / float64(len(a.pixels))
}

// chroma is the mean difference of R-G and B-G.
func chroma(a, b outcome) (d float64) {
	for i := 0; i < len(a.pixels); i += 3 {
		for _, k := range []int{0, 2} {
			d += math.Abs((a.pixels[i+k] - a.pixels[i+1]) - (b.pixels[i+k] - b.pixels[i+1]))
		}
	}
	return d / float64(len(a.pixels))
}

// mean is the difference of the mean colours.
func mean(a, b outcome) (d float64) {
	var sum [3]float64
	for i, v := range a.pixels {
		sum[i%3] += v - b.pixels[i]
	}
	return (math.Abs(sum[0]) + math.Abs(sum[1]) + math.Abs(sum[2])) / float64(len(a.pixels))
}

func smoother(t *testing.T, without, with outcome) {
	variation := func(o outcome) (v float64) {
		for i := 3; i < len(o.pixels); i++ {
			v += math.Abs(o.pixels[i] - o.pixels[i-3])
		}
		return v
	}
	if a, b := variation(without), variation(with); b >= a {
		t.Errorf("variation %.1f without it, %.1f with it, want less", a, b)
	}
}
