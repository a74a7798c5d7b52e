package preview

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi/sixel"
)

// screen is a terminal of few words.
type screen struct {
	lines []string
	y     int
}

var sequence = regexp.MustCompile("^\x1b\\[([0-9;]*)([A-Za-z])")

func (s *screen) Write(text []byte) (int, error) {
	n := len(text)
	for len(text) > 0 {
		for len(s.lines) <= s.y {
			s.lines = append(s.lines, "")
		}
		if m := sequence.FindSubmatch(text); m != nil {
			count, _ := strconv.Atoi(string(m[1]))
			switch m[2][0] {
			case 'A':
				s.y -= max(count, 1)
			case 'B':
				s.y += max(count, 1)
			case 'J':
				s.lines = s.lines[:s.y]
			case 'K', 'm':
			default:
				return 0, fmt.Errorf("sequence %q", m[0])
			}
			text = text[len(m[0]):]
			continue
		}
		r := []rune(string(text))[0]
		switch r {
		case '\n':
			s.y++
		case '\r':
			s.lines[s.y] = ""
		default:
			s.lines[s.y] += string(r)
		}
		text = text[len(string(r)):]
		if r == '\n' && len(s.lines) > s.y {
			s.lines[s.y] = "" // what comes next is written over it
		}
	}
	return n, nil
}

func (s *screen) String() string { return strings.Join(s.lines, "\n") }

func small60x20() Screen { return Screen{Columns: 21, Rows: 40, CellW: 8, CellH: 16} }

// A picture is drawn over the one before, said lines stay above, the line below is cut off.
func TestTerminalBlocks(t *testing.T) {
	s := &screen{}
	term := NewTerminal(s, Blocks, small60x20)
	row := strings.Repeat("▀", 20)
	for i, level := range []float32{0, 0.5, 1} {
		if err := term.Show(grey(40>>i, 10>>i, level)); err != nil { // 20 cells of two pixels by 3 lines
			t.Fatal(err)
		}
		term.Status(fmt.Sprint("step ", i, " of a line that is too long"))
		fmt.Fprintf(term, "line %d\n", i)
		lines := 3
		if i == 2 {
			lines = 2
		}
		var want []string
		for k := range i + 1 {
			want = append(want, fmt.Sprint("line ", k))
		}
		for range lines {
			want = append(want, row)
		}
		want = append(want, fmt.Sprintf("step %d of a line that is too long", i)[:19]+"…")
		if got := strings.TrimRight(s.String(), "\n"); got != strings.Join(want, "\n") {
			t.Fatalf("the terminal shows\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}
}

// What goes to the terminal is the picture, as wide as there is room, in as many lines as it takes.
func TestTerminalGraphics(t *testing.T) {
	var out bytes.Buffer
	if err := NewTerminal(&out, Sixel, small60x20).Show(grey(40, 30, 1)); err != nil {
		t.Fatal(err)
	}
	_, data, _ := strings.Cut(out.String(), "\x1bP0;1q")
	data, after, ok := strings.Cut(data, "\x1b\\")
	m, err := new(sixel.Decoder).Decode(strings.NewReader(data))
	if err != nil || !ok {
		t.Fatalf("no sixels (%v) in %.60q", err, out.String())
	}
	if m.Bounds().Dx() != 160 || m.Bounds().Dy() != 120 {
		t.Fatalf("sixels of %v", m.Bounds())
	}
	if r, _, _, _ := m.At(80, 60).RGBA(); r < 0xfe00 {
		t.Errorf("white is %x", r)
	}
	if !strings.Contains(after, "\x1b[8B") { // 120 pixels in lines of 16
		t.Errorf("behind the picture comes %q", after)
	}

	out.Reset()
	if err := NewTerminal(&out, Kitty, small60x20).Show(grey(40, 30, 1)); err != nil {
		t.Fatal(err)
	}
	var payload string
	for _, m := range regexp.MustCompile("\x1b_G([^;]*);([^\x1b]*)\x1b").FindAllStringSubmatch(out.String(), -1) {
		if payload == "" && (!strings.Contains(m[1], "s=160") || !strings.Contains(m[1], "v=120") || !strings.Contains(m[1], "C=1")) {
			t.Errorf("options %s", m[1])
		}
		payload += m[2]
	}
	z, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(payload)))
	if err != nil {
		t.Fatal(err)
	}
	if pix, err := io.ReadAll(z); err != nil || len(pix) != 3*160*120 || pix[0] != 255 {
		t.Errorf("%d samples (%v)", len(pix), err)
	}
}

func TestGraphicsOf(t *testing.T) {
	for env, want := range map[string]Graphics{
		"TERM=xterm-256color": Blocks, "": Blocks, "TERM=xterm-kitty": Kitty, "TERM=foot": Sixel, "TERM_PROGRAM=WezTerm TERM=xterm-256color": Kitty,
		"TERM=tmux-256color KITTY_WINDOW_ID=1": Blocks, "KITTY_WINDOW_ID=1": Kitty, "TERM=mlterm": Sixel, "TERM=xterm-ghostty": Kitty,
	} {
		getenv := func(name string) string {
			for _, set := range strings.Fields(env) {
				if v, ok := strings.CutPrefix(set, name+"="); ok {
					return v
				}
			}
			return ""
		}
		if got := GraphicsOf(getenv); got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}
