//go:build unix && cgo && !novips

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nstfilter/pipeline/photo"
)

// A block is a block of shell commands on a page: ```sh. The test does not run it with a line
// `<!-- not run: REASON -->` before it.
type block struct {
	page, heading string
	number        int // among the page's
	commands      string
	notRun        string
}

// TestPages runs every block of README.md and docs/*.md as it stands there, by bash, in a
// folder of its own: small pictures and films of the names that the pages use. Programs that
// are not installed skip a block, unless NSTFILTER_REQUIRE_NEIGHBOURS is set.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("about a hundred commands")
	}
	for _, tool := range []string{"bash", "ffmpeg"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("NSTFILTER_REQUIRE_FFMPEG") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	inputs := t.TempDir()
	makeInputs(t, inputs)
	done := make([]bool, len(tasks))
	for _, file := range pages(t) {
		for _, b := range blocks(t, file) {
			i := slices.IndexFunc(tasks, func(k task) bool { return k.page == b.page && k.heading == b.heading })
			work := task{}
			if i >= 0 {
				work, done[i] = tasks[i], true
			}
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(b.page), b.number), func(t *testing.T) {
				t.Parallel()
				runBlock(t, b, work, inputs)
			})
		}
	}
	for i, k := range tasks {
		if !done[i] {
			t.Errorf("%s has no commands below %q", k.page, k.heading)
		}
	}
}

// blocks reads those of a page.
func blocks(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page, err := filepath.Rel("../..", file)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	heading, before, fence := "", "", ""
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case fence == "" && strings.HasPrefix(line, "#"):
			heading = strings.TrimLeft(line, "# ")
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = line
			if line == "```sh" {
				reason, _ := strings.CutPrefix(before, "<!-- not run: ")
				reason, ok := strings.CutSuffix(reason, " -->")
				if !ok {
					reason = ""
				}
				all = append(all, block{page: page, heading: heading, number: len(all) + 1, notRun: reason})
			}
		case line == "```":
			fence = ""
		case fence == "```sh":
			all[len(all)-1].commands += line + "\n"
		case strings.HasPrefix(line, "    "):
			t.Errorf("%s:%d: commands stand in ```sh, other text in ```text: an indented block is not run", page, i+1)
		}
		before = line
	}
	return all
}

// TestLinks follows every link from one of the pages to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	for _, file := range pages(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to := filepath.Join(filepath.Dir(file), m[1])
			if strings.HasPrefix(m[1], "https://") {
				continue
			} else if m[1] == "" {
				to = file
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if m[2] != "" && !slices.Contains(anchors(t, to), m[2]) {
				t.Errorf("%s links to %s%s: there is no such heading", file, m[1], m[2])
			}
		}
	}
}

// anchors are those that GitHub gives a page's headings.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?m)^#+ (.*)$").FindAllStringSubmatch(string(text), -1) {
		name := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, "#"+strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// pages are the files whose commands are run.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(all, "../../README.md")
}

// TestLibraryPage finds the page's Go in the example, which is compiled.
func TestLibraryPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../examples/library/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(page), "```go\n")
	code, _, ok := strings.Cut(code, "```")
	if !ok || !strings.Contains(string(example), code) {
		t.Error("docs/library.md shows what examples/library/main.go does not have")
	}
}

// TestFlagsOfPages finds every flag that the pages name amid the text (`--size 640`) among the
// program's.
func TestFlagsOfPages(t *testing.T) {
	parser, err := newParser(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"user", "userns"} // podman's and docker's
	for _, command := range parser.Model.Children {
		for _, flag := range append(command.Flags, parser.Model.Flags...) {
			known = append(known, flag.Name)
		}
	}
	flag := regexp.MustCompile("`--([a-z][a-z-]*)")
	for _, file := range pages(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range flag.FindAllSubmatch(text, -1) {
			if !slices.Contains(known, string(m[1])) {
				t.Errorf("%s: no command has --%s", file, m[1])
			}
		}
	}
}

// TestMessages finds every message of docs/troubleshooting.md, which has … where the program
// fills in, in the program's text.
func TestMessages(t *testing.T) {
	var source strings.Builder
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	for _, folder := range []string{"cmd", "pipeline", "video", "filter", "weights"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".c") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			source.Write(comment.ReplaceAll(text, nil))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| (`.*?`) \\|").FindAllSubmatch(page, -1)
	if len(rows) == 0 {
		t.Fatal("there are no rows of messages")
	}
	for _, row := range rows {
		for part := range strings.FieldsFuncSeq(string(row[1]), func(r rune) bool { return r == '`' || r == '…' }) {
			if part != ", " && !strings.Contains(source.String(), part) {
				t.Errorf("the program does not say %q", part)
			}
		}
	}
}

var neighbours = []string{"mpv", "x264", "x265", "SvtAv1EncApp", "gst-launch-1.0", "vips", "melt"}

func runBlock(t *testing.T, b block, work task, inputs string) {
	if b.notRun != "" {
		t.Skip(b.notRun)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	lack := ""
	for word := range strings.FieldsSeq(b.commands) {
		if _, err := exec.LookPath(word); err != nil && slices.Contains(neighbours, word) {
			lack = err.Error()
		}
	}
	if _, err := os.Stat(filepath.Join(root, "nstfilter.so")); err != nil && strings.Contains(b.commands, "frei0r") {
		lack = "the plugin is not built: make frei0r"
	}
	if lack != "" {
		if os.Getenv("NSTFILTER_REQUIRE_NEIGHBOURS") != "" {
			t.Fatal(lack)
		}
		t.Skip(lack)
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(inputs)); err != nil {
		t.Fatal(err)
	}
	if work.before != nil {
		work.before(t, b, folder)
	}
	said := shell(t, folder, b.commands)
	for _, file := range results(t, folder, inputs) {
		if frames(t, filepath.Join(folder, file)) == 0 {
			t.Errorf("%s has no picture", file)
		}
	}
	if work.after != nil {
		work.after(t, folder, said)
	}
}

// shell runs commands as bash does for a user who is in folder, and returns what they said.
func shell(t *testing.T, folder, commands string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	c := command(ctx, folder, "bash", "-e", "-o", "pipefail", "-c", commands)
	said, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%s%v", commands, said, err)
	}
	return string(said)
}

// command is one of a user whose home, settings and data are in folder's. With ctx all that it
// has started ends.
func command(ctx context.Context, folder, name string, args ...string) *exec.Cmd {
	home := filepath.Join(folder, ".home")
	root, _ := filepath.Abs("../..")
	c := exec.CommandContext(ctx, name, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.Dir = folder
	c.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "XDG_CACHE_HOME="+home,
		"FREI0R_PATH="+root, "MPV_HOME="+folder, "QT_QPA_PLATFORM=offscreen")
	return c
}

// results are the media that folder has and inputs has not.
func results(t *testing.T, folder, inputs string) []string {
	t.Helper()
	media := regexp.MustCompile(`\.(png|jpg|webp|avif|mkv|mp4|mov|webm|hevc|ivf)$`)
	var all []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(folder, path)
		if err != nil || !media.MatchString(name) || strings.HasPrefix(name, ".") {
			return err
		}
		if _, err := os.Stat(filepath.Join(inputs, name)); err != nil {
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// makeInputs makes the photos, films and styles that the pages name, out of the README's
// picture: its left is a photo, and a crop that moves over it a film.
func makeInputs(t *testing.T, folder string) {
	t.Helper()
	for _, sub := range []string{"styles", "photos", "films", "frames", "examples/styles", "demo"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	photo := "-i " + examples + "/readme.jpg -frames:v 1 -vf crop=480:320:0:0,scale=96:64"
	film := "-loop 1 -i " + examples + "/readme.jpg -f lavfi -i sine -shortest -map 0 -map 1 -vf crop=480:320:0:0,crop=384:256:n*4:n*2,scale=96:64"
	script := `
ff() { ffmpeg -v error -nostdin "$@"; }
ln -s "$(command -v nstfilter)" nstfilter
for style in night mosaic scream; do
	ff -i EXAMPLES/styles/$style.jpg -vf scale=128:-2 styles/$style.jpg
	cp styles/$style.jpg .
	cp styles/$style.jpg examples/styles
done
ff PHOTO in.jpg
ff PHOTO in.png
ff PHOTO,hue=h=90 photos/a.jpg
ff PHOTO,hflip photos/b.jpg
cp in.png demo/coffee.png
ff FILM -frames:v 6 -t 0.24 -c:v libvpx -b:v 1M -c:a libvorbis in.mkv
ff FILM -frames:v 6 -r 1/20 -t 120 -c:v libvpx -b:v 1M -c:a libvorbis long.mkv
ff -i in.mkv demo/bunny.mp4
cp demo/bunny.mp4 films/a.mp4
ff -i in.mkv -frames:v 3 frames/%05d.png
ff -f lavfi -i color=black:s=48x64 -f lavfi -i color=white:s=48x64 -lavfi hstack -frames:v 1 mask.png
ff -f lavfi -i gradients=s=96x64:c0=black:c1=white:x0=0:x1=95:y0=0:y1=0,format=gray -frames:v 1 map.png
echo '{"iterations": "100,30", "tv-weight": 50}' >mine.json
printf 'vo=image\nvo-image-format=png\nvo-image-outdir=shown\nao=null\n' >mpv.conf
`
	shell(t, folder, strings.NewReplacer("EXAMPLES", examples, "PHOTO", photo, "FILM", film).Replace(script))
}

// frames counts what ffmpeg decodes of a file; probe has its codec and size too.
func frames(t *testing.T, file string) int {
	t.Helper()
	return probe(t, file).frames
}

type properties struct {
	codec                 string
	width, height, frames int
}

func probe(t *testing.T, file string) properties {
	t.Helper()
	if filepath.Ext(file) == ".avif" { // which older ffmpegs do not read
		f, err := photo.Read(file)
		if err != nil {
			t.Error(err)
			return properties{}
		}
		return properties{"av1", f.W, f.H, 1}
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
		"-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Errorf("%s: ffprobe: %v", file, err)
	}
	var p properties
	fields := strings.ReplaceAll(string(out), ",", " ")
	if _, err := fmt.Sscan(fields, &p.codec, &p.width, &p.height, &p.frames); err != nil {
		t.Errorf("%s: ffprobe says %q: %v", file, out, err)
	}
	return p
}
