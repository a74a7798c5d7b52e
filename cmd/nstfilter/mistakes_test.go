package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mistake is a command that somebody new may give, and what has to be said: what is wrong,
// where, and what to do.
type mistake struct {
	command string // words, with blanks between; ' keeps blanks in one
	code    int
	says    []string
}

// They are given in a folder with the photo in.jpg, the styles night.png and glass.png, the folder photos with
// two pictures, empty.png, empty.mkv, text.jpg and notes.txt.
var mistakes = []mistake{
	// names
	{"--style nigth.png in.jpg out.jpg", 1, []string{"--style nigth.png: no such file", "did you mean night.png?"}},
	{"--style night.png in.jpeg out.jpg", 1, []string{"in.jpeg: no such file", "did you mean in.jpg?"}},
	{"--style nowhere/night.png in.jpg out.jpg", 1, []string{"there is no folder nowhere; check the name"}},
	{"--style https://example.org/night.jpg in.jpg out.jpg", 1, []string{"is an address", "curl -LO https://example.org/night.jpg"}},
	{"--style night.png https://example.org/in.jpg out.jpg", 1, []string{"is an address", "curl -LO https://example.org/in.jpg"}},
	{"--style night.png out.jpg in.jpg", 1, []string{"out.jpg: no such file, but in.jpg is there", "in.jpg out.jpg"}},
	{"--style night.png in.jpg in.jpg", 2, []string{"in.jpg would be written over", "another name"}},
	{"--style night.png in.jpg photos/../in.jpg", 2, []string{"in.jpg would be written over", "another name"}},
	{"--style in.jpg night.png in.jpg -y", 2, []string{"in.jpg would be written over, and night.png is painted with it", "another name"}},
	// styles
	{"in.jpg out.jpg", 2, []string{"no style", "--style FILE"}},
	{"night.png in.jpg out.jpg", 2, []string{"no style", "nstfilter --style night.png in.jpg out.jpg"}},
	{"--style=night.png,glass.png in.jpg out.jpg", 2, []string{"give each style by itself: --style night.png --style glass.png"}},
	{"--style empty.png in.jpg out.jpg", 1, []string{"--style empty.png: the file is empty; fetch or export it again"}},
	{"--style text.jpg in.jpg out.jpg", 1, []string{"--style text.jpg: not a picture", "convert it to PNG"}},
	{"--style photos in.jpg out.jpg", 1, []string{"--style photos: is a folder; name the pictures in it"}},
	{"--style night.png@10 in.jpg out.jpg", 2, []string{"in.jpg is a photo and has no time: leave @TIME out"}},
	// inputs and results
	{"--style night.png photos", 2, []string{"photos: where should the results go? Add a folder", "photos painted/"}},
	{"--style night.png in.jpg", 2, []string{"in.jpg: where should the result go? Add its name"}},
	{"--style night.png photos out.jpg", 2, []string{"2 inputs need a %s", "'out/%s.jpg'"}},
	{"--style night.png in.jpg result", 2, []string{"result: its extension says what it becomes: result.jpg"}},
	{"--style night.png in.jpg out.jgp", 2, []string{`unknown extension ".jgp"`, `did you mean "jpg"?`}},
	{"--style night.png in.jpg new/out.jpg", 1, []string{"there is no folder new: make it first: mkdir -p new"}},
	{"--style night.png empty.png out.jpg", 1, []string{"empty.png: the file is empty; fetch or export it again"}},
	{"--style night.png text.jpg out.jpg", 1, []string{"text.jpg: not a picture", "see that the file is what its name says"}},
	{"--style night.png notes.txt out.jpg", 2, []string{"notes.txt holds no still picture", "see that the file is what you mean"}},
	{"--style night.png in.jpg out.mp4", 2, []string{"in.jpg is a photo, out.mp4 is not: name a photo, such as out.jpg"}},
	{"--style night.png -o out.jpg more.jpg in.jpg", 2, []string{"2 inputs need a %s", "out/%s.jpg"}},
	{"--style night.png -o a.jpg -o b.jpg in.jpg", 2, []string{"--output is given twice: give it once"}},
	{"--style night.png 'frames/%04d.png' out.mkv", 1, []string{"there is no folder frames: check the name"}},
	{"--style night.png 'photos/%4d.png' out.mkv", 1, []string{"photos/%04d.png: no such file, with any number: check the name"}},
	{"--style night.png -o 'photo.%S.jpg' in.jpg night.png", 2, []string{"2 inputs need a %s"}},
	{"--style night.png in.jpg 'out%z.png[Q'", 2, []string{"unknown extension"}},
	// options
	{"--stile night.png in.jpg out.jpg", 2, []string{`--stile is no option; did you mean "--style"?`}},
	{"-style night.png in.jpg out.jpg", 2, []string{"-style: write it with two dashes: --style"}},
	{"--style night.png -size=32 in.jpg out.jpg", 2, []string{"-size: write it with two dashes: --size"}},
	{"--style night.png --preset network in.jpg out.jpg", 2, []string{"--preset network is none of draft, fine"}},
	{"in.jpg out.jpg -- --style night.png", 2, []string{"--style: what follows -- are files: put options before it"}},
	{"--style night.png in.jpg out.jpg --preset", 2, []string{"--preset needs a value behind it"}},
	{"--style night.png --preset drafft in.jpg out.jpg", 2, []string{"--preset drafft is none of draft, fine", `did you mean "draft"?`}},
	{"--style night.png --style-loss gramm in.jpg out.jpg", 2, []string{`"gramm" is not gram or gram+means`, `did you mean "gram"?`}},
	{"--style night.png --device gpu in.jpg out.jpg", 2, []string{`"gpu" is not auto or cuda`, `did you mean "cuda"?`}},
	{"--style night.png --size 10000000 in.jpg out.jpg", 2, []string{"--size 10000000 is not between 0 and 65536"}},
	{"--style night.png --size 50% in.jpg out.jpg", 2, []string{`--size: "50%" is not a number of pixels or auto`}},
	{"--style night.png --threads two in.jpg out.jpg", 2, []string{`--threads: "two" is not a whole number`}},
	{"--style night.png --deadline 5 in.jpg out.jpg", 2, []string{`--deadline: "5" is not a time: write 2s or 500ms`}},
	{"--style night.png --start 10 in.jpg out.jpg", 2, []string{"--start is for films in files, and here is none"}},
	{"shet --style night.png in.jpg", 2, []string{`shet: no such file and no such command; did you mean "sheet"?`}},
}

// filmMistakes are of films, which need ffmpeg to be made and known.
var filmMistakes = []mistake{
	{"--style night.png film.mkv out.jpg", 2, []string{"it is a film, and out.jpg is a photo: name a film, out.mkv, or numbered pictures, out-%04d.jpg"}},
	{"--style night.png film.mkv out%.png", 2, []string{"numbered pictures, out%-%04d.png"}},
	{"--style night.png film.mkv result", 2, []string{"result.mkv, result.mp4, … for a film"}},
	{"--style night.png film.mkv out.flv", 2, []string{`unknown extension ".flv"`, "films to .mp4"}},
	{"--style night.png --start 1:00 film.mkv out.mkv", 1, []string{"film.mkv: --start 60 is behind its end: it is 1", "begin earlier"}},
	{"--style night.png --start 1:xx film.mkv out.mkv", 2, []string{`--start: "1:xx" is not a time: write 90, 1:30`}},
	{"--style night.png --rate 30 film.mkv out.mkv", 2, []string{"--rate is for numbered pictures", "films keep their own times"}},
	{"--style night.png empty.mkv out.mkv", 1, []string{"empty.mkv: the file is empty; fetch or export it again"}},
	{"--style night.png text.mkv out.mkv", 1, []string{"text.mkv: not a film that ffmpeg can read"}},
	{"--style night.png --encoder libx256 film.mkv out.mkv", 1, []string{"this ffmpeg has no encoder libx256: choose one that `ffmpeg -encoders` lists", `did you mean "libx265"?`}},
	{"--style film.mkv in.jpg out.jpg", 1, []string{"--style film.mkv: is a film", "ffmpeg -ss 10 -i film.mkv -frames:v 1 style.png"}},
	{"--style night.png 'clip*.mkv' new/", 1, []string{"clip*.mkv: no such file, and as a glob it matches none: check the name"}},
}

func TestMistakes(t *testing.T) {
	folder := folderOfMistakes(t)
	for _, m := range mistakes {
		m.check(t, folder, exec.Command("nstfilter", wordsOf(m.command)...))
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("without ffmpeg: no film's mistakes")
	}
	c := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x32:d=1:r=5", "film.mkv")
	if c.Dir = folder; c.Run() != nil {
		t.Fatal("ffmpeg makes no film")
	}
	for _, m := range filmMistakes {
		m.check(t, folder, exec.Command("nstfilter", wordsOf(m.command)...))
	}
	program, err := exec.LookPath("nstfilter")
	if err != nil {
		t.Fatal(err)
	}
	c = exec.Command(program, "--style", "night.png", "film.mkv", "out.mkv")
	c.Env = append(os.Environ(), "PATH="+t.TempDir())
	mistake{"film.mkv, without ffmpeg", 1, []string{"film.mkv: ffmpeg is not installed", "apt-get install ffmpeg", "dnf install ffmpeg-free", "brew install ffmpeg"}}.check(t, folder, c)
}

// A file that may not be read: root has to lay down what lets it read all.
func TestUnreadableFile(t *testing.T) {
	folder := folderOfMistakes(t)
	for _, name := range []string{"in.jpg", "empty.mkv"} {
		file := filepath.Join(folder, name)
		if err := errors.Join(os.WriteFile(file, []byte("some"), 0o600), os.Chmod(file, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range []string{"in.jpg", "empty.mkv"} {
		if strings.HasSuffix(in, ".mkv") {
			if _, err := exec.LookPath("ffmpeg"); err != nil {
				t.Skip("without ffmpeg: no film")
			}
		}
		args := []string{"nstfilter", "--style", "night.png", in, "out" + filepath.Ext(in)}
		if f, err := os.Open(filepath.Join(folder, in)); err == nil {
			f.Close()
			if _, err := exec.LookPath("setpriv"); err != nil {
				t.Skip("this user reads every file, and there is no setpriv")
			}
			args = append([]string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}, args...)
		}
		mistake{strings.Join(args, " "), 1, []string{in + ": permission denied; change its rights"}}.check(t, folder, exec.Command(args[0], args[1:]...))
	}
}

func folderOfMistakes(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for i, name := range []string{"in.jpg", "night.png", "glass.png", "photos/a.png", "photos/b.png"} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), writePNG(path, waves(32, 32, i+1))); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"empty.png": "", "empty.mkv": "", "text.jpg": "No picture.", "text.mkv": "No film.", "notes.txt": "Notes."} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// wordsOf splits a command at blanks that are not between '.
func wordsOf(command string) (words []string) {
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// check runs the command c, which must fail with one line, or two if it is of wrong usage, and
// leave nothing behind.
func (m mistake) check(t *testing.T, folder string, c *exec.Cmd) {
	t.Helper()
	before, _ := os.ReadDir(folder)
	c.Dir = folder
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != m.code {
		t.Errorf("%s: %v, want exit code %d\n%s", m.command, err, m.code, out)
	}
	for _, want := range m.says {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s: %snot said: %q", m.command, out, want)
		}
	}
	if n := strings.Count(string(out), "\n"); n > m.code {
		t.Errorf("%s says %d lines, more than %d:\n%s", m.command, n, m.code, out)
	}
	if after, _ := os.ReadDir(folder); len(after) != len(before) {
		t.Errorf("%s leaves %d files", m.command, len(after)-len(before))
	}
}
