package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"nstfilter/filter/limits"
	"nstfilter/pipeline/engines"
)

// Options are the settings of a job that do not decide the pixels. A field's tag name is its
// flag, and help what --help-all says; brief is as in filter.Options. A preset may come from a stranger, so that it has only
// those with the tag preset:"yes": they name no file that is written, and nothing that the
// machine is asked for. What may be given is in the tags that package limits reads, defaults
// are in DefaultOptions.
type Options struct {
	Style        []string `name:"style" preset:"yes" short:"s" sep:"none" placeholder:"FILE[@TIME]" help:"Picture whose style is painted with; give it again to blend several. FILE@TIME takes over from those before at a time of the film: 90 (seconds), 1:30 or 00:01:30.5, as a player shows it, from the film's start (numbered pictures count by --rate)."`
	Strength     string   `name:"strength" placeholder:"FILE" help:"Grey map of how much is painted: black stays as it is, white is painted, grey is mixed. A picture is for every frame; a film, or numbered pictures ('strength/%04d.png'), has a map for each frame, in step with the input, after --start too for a film. %s stands for the input's name without its extension."`
	Protect      string   `name:"protect" brief:"What stays as it is: faces, or none." preset:"yes" oneof:"none,faces" help:"What stays as it is by itself: none, or faces, seen about from the front, which are found and followed through a film; with --strength too, as far as either says."`
	Mask         string   `name:"mask" placeholder:"FILE" help:"Mask whose flat colours are regions, each painted in a style of its own: the darkest colour in the first --style, the next in the second, and so on (--verbose says which), or as --style-mask says. Edges may be smooth. A picture is for every frame; a film, numbered pictures and %s are as for --strength."`
	StyleMask    []string `name:"style-mask" sep:"none" placeholder:"FILE" help:"Mask of a style, one for each --style, in their order: a region of --mask is painted like what has its colour here."`
	Key          []string `name:"key" sep:"none" placeholder:"TIME=FILE" help:"Your painting of one frame of a film, which the frames around it follow: TIME=FILE is of the frame at that time (12.5=FILE, as a player shows it), 'keys/%05d.png' are pictures with the number of their frame in the name, from 1. Give it again for more. The frame becomes the painting, and up to the next cut the film's motion carries it along; what no painting shows is painted in its style, so that --style is not needed. A painting's transparent parts are left to --style."`
	Output       string   `name:"output" short:"o" placeholder:"FILE" help:"Where results go; every other argument is then an input. FOLDER/ is made if it is missing, and results keep their names there; in a name, %s stands for the input's without its extension, and options of a photo follow in brackets: 'out/%s.jpg[Q=90]'."`
	Recursive    bool     `name:"recursive" help:"Paint the pictures in the subfolders of a folder too. Results go into subfolders of the same names."`
	OutputFormat string   `name:"output-format" oneof:"auto,y4m,nut" help:"What a pipe gives out: auto (as it came in), y4m, or nut, which keeps exact times, RGB and alpha."`
	Overwrite    bool     `name:"overwrite" short:"y" help:"Replace results that exist."`
	Restart      bool     `name:"restart" help:"Begin anew what an earlier run of this command has left unfinished. Without it the same command goes on behind the frames, and skips the photos, that are done."`
	NoResume     bool     `name:"no-resume" help:"Keep nothing to go on from. Else a film's painted frames wait beside its result, as large as raw film, until it is complete."`
	Preset       string   `name:"preset" brief:"draft is quick, fine is crisper; or your own." placeholder:"NAME" help:"Settings to begin from: draft (a third of the time), standard (the defaults), fine (three times as long, film five times: VGG-16 paints the last scale), gatys (the paper's own run), NAME of your own (--save-preset), or FILE.json with an object of settings by the names of --style, --network and what decides the pixels and the film."`
	SavePreset   string   `name:"save-preset" placeholder:"NAME" help:"Save this command's settings, as far as a preset may hold them, as a preset of your own: --preset NAME takes them up in any folder. Without a file to paint it only does that; -y replaces one of that name."`
	Device       string   `name:"device" help:"What computes: cuda (NVIDIA GPUs, all of them for a batch), cuda:N (the one of that number, from 0), cpu (C with vector instructions), gorgonia (Go alone), or auto: the first of these that works here."`
	ISA          string   `name:"isa" env:"NSTFILTER_ISA" help:"Instructions to compute with: auto, the cpu's avx512, avx2, neon, or plain (what every processor has), or cuda's tensor (tensor cores) or simt (what every GPU has). $NSTFILTER_ISA says it too."`
	Threads      int      `name:"threads" min:"0" max:"1024" help:"Threads to compute with; 0 takes all processors that the program may use. The result does not depend on it."`
	Jobs         int      `name:"jobs" min:"1" max:"256" help:"Inputs to paint side by side on the cpu, which share its threads and memory. The results do not depend on it. It pays for many small pictures, whose steps are too short for all threads; on GPUs, each has one anyway."`
	MaxMemory    Bytes    `name:"max-memory" min:"0" help:"Memory that the program may take, on a GPU its memory: 2G, 500M (powers of 1000), or auto: three quarters of what can be had, most of what is free on a GPU. Large pictures are painted in tiles to keep within it, which takes longer."`
	MaxPixels    Pixels   `name:"max-pixels" min:"1" help:"Most pixels of a picture or a frame: 178M (powers of 1000). A larger one is refused before it is decoded; a photo has at most 178M whatever this says."`
	Network      string   `name:"network" preset:"yes" oneof:"slim,vgg16,slim+vgg16,vgg19,slim+vgg19" help:"Network that sees: slim, vgg16, vgg19 (after nstfilter weights import), or slim+vgg16 and slim+vgg19: slim, and for the last scale the other."`
	Weights      string   `name:"weights" placeholder:"FILE" help:"A network of your own instead, FILE.safetensors."`
	MaxTemp      Bytes    `name:"max-temp" min:"0" help:"Disk that frames may take while they wait for --passes, --key, --stride or --loop: 8G, 500M, or auto: 8G, or half of what is free in the folder for temporary files (TMPDIR) where that is less."`
	ZeroLatency  bool     `name:"zero-latency" help:"Give each frame's result out before the next frame is asked for: nothing is read or looked at ahead, which takes a little longer for all, and much on a GPU, which then waits for the flow."`
	Progress     string   `name:"progress" oneof:"auto,bar,plain,json,none" help:"How progress is told on stderr: auto, bar, plain, json, or none. What is worth knowing about a result is said all the same."`
	Quiet        bool     `name:"quiet" short:"q" help:"Say nothing but errors: no progress, and nothing about the results."`
	Stats        string   `name:"stats" placeholder:"FILE" help:"Write one JSON line per picture here: sizes, losses, seconds, memory."`
	NoRecord     bool     `name:"no-record" help:"Leave out of the results what made them, which nstfilter explain reads: the settings, the names of the input and the styles without their folders, hashes of styles and network."`
	NoSandbox    bool     `name:"no-sandbox" help:"Let the program and its ffmpeg open any file and the network. Else, where Linux has Landlock, they read only what the job names and what belongs to the system, write only into the folders of results and for temporary files, and have no network."`
	Preview      Preview  `name:"preview" brief:"Watch and steer it in a browser." placeholder:"ADDRESS" help:"Show on a page, in a browser, what is painted, and let its weights be changed there while it is. Alone it takes a free port of this machine, which it prints; --preview=8080 takes that one, --preview=0.0.0.0:8080 one that other machines reach. --preview=term shows the picture in the terminal instead, as it can: by Kitty's protocol, sixels, or blocks of colour, which --preview=kitty, sixel and blocks choose."`
	PreviewToken string   `name:"preview-token" env:"NSTFILTER_PREVIEW_TOKEN" placeholder:"TEXT" help:"What the page of --preview asks for, once, as part of its address: on a machine that others use, and wherever other machines reach it. $NSTFILTER_PREVIEW_TOKEN says it where nobody sees the command."`
	Verbose      bool     `name:"verbose" short:"v" help:"Say what computes, with which network, and how each picture went."`
}

// DefaultOptions returns the settings of a plain run.
func DefaultOptions() Options {
	return Options{Device: "auto", ISA: "auto", Network: "slim", Protect: "none", Jobs: 1, Progress: "auto", OutputFormat: "auto", MaxPixels: 178e6}
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	if err := cmp.Or(limits.Check(o), engines.Builtin.Check(o.Device)); err != nil {
		return err
	}
	if slices.Contains(o.Style, "") {
		return fmt.Errorf("--style is empty: give the file of a picture")
	}
	return nil
}

// Bytes is an amount of memory or disk, written 500M or 2.5G, or 0 for auto.
type Bytes int64

// UnmarshalText reads a number with a unit, powers of 1000, or "auto".
func (b *Bytes) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*b = 0
		return nil
	}
	n, ok := parseAmount(strings.TrimSuffix(strings.ToUpper(string(text)), "B"))
	if !ok {
		return fmt.Errorf("%q is no amount of memory or disk: write 500M, 2G, or auto", text)
	}
	*b = Bytes(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (b Bytes) MarshalText() ([]byte, error) {
	if b == 0 {
		return []byte("auto"), nil
	}
	return []byte(amountText(int64(b))), nil
}

// Preview is what --preview says: an address, empty for none, "on" for a free port of this
// machine, or term, kitty, sixel or blocks for the terminal.
type Preview string

// Pixels is a number of pixels, written 178M.
type Pixels int64

// UnmarshalText reads a number with a unit, powers of 1000.
func (p *Pixels) UnmarshalText(text []byte) error {
	n, ok := parseAmount(strings.ToUpper(string(text)))
	if !ok {
		return fmt.Errorf("%q is no number of pixels: write 50M", text)
	}
	*p = Pixels(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (p Pixels) MarshalText() ([]byte, error) { return []byte(amountText(int64(p))), nil }

var units = []struct {
	name   string
	amount float64
}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"K", 1e3}}

// parseAmount reads a number of at least 1 with a unit, or without one.
func parseAmount(text string) (n int64, ok bool) {
	unit := 1.0
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = rest, u.amount
			break
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	v *= unit
	return int64(v), err == nil && v >= 1 && v < 1<<53
}

// amountText writes what parseAmount reads.
func amountText(n int64) string {
	for _, u := range units {
		if v := float64(n) / u.amount; v == math.Trunc(v) {
			return strconv.FormatFloat(v, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// readsAhead reports whether a frame may be read and analysed while another is painted.
// With --threads 1 the program keeps one processor busy and no more.
func (o *Options) readsAhead() bool { return !o.ZeroLatency && o.Threads != 1 }
