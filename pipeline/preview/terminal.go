package preview

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/kitty"
	"github.com/charmbracelet/x/ansi/sixel"

	"nstfilter/filter"
)

// Terminal draws pictures in a terminal, each over the one before, with a line of text below.
// What is written to it comes above. Several goroutines may call its methods.
type Terminal struct {
	out      io.Writer
	graphics Graphics
	size     func() Screen

	mu      sync.Mutex
	picture string // as it is drawn, from the left end of a line to that of the line below
	height  int    // of the picture, in lines
	line    string
	lined   time.Time // when line was drawn
	drawn   int       // lines that are drawn, of which the cursor is below
}

// Screen is the size of a terminal in cells, and of a cell in pixels, which is 0 if the terminal
// does not say.
type Screen struct{ Columns, Rows, CellW, CellH int }

// Graphics is how a terminal shows pictures.
type Graphics string

// terminalSide is the longest side of a picture in a terminal, in pixels: they take long for more.
const terminalSide = 640

// What terminals understand: Kitty's protocol, sixels, or two colours to a cell of text.
const (
	Kitty  Graphics = "kitty"
	Sixel  Graphics = "sixel"
	Blocks Graphics = "blocks"
)

// GraphicsOf returns what the terminal understands that the environment names. Where that does
// not say, blocks do everywhere.
func GraphicsOf(getenv func(string) string) Graphics {
	name, program := getenv("TERM"), getenv("TERM_PROGRAM")
	switch {
	case strings.HasPrefix(name, "screen"), strings.HasPrefix(name, "tmux"): // which pass no pictures on
		return Blocks
	case getenv("KITTY_WINDOW_ID") != "", strings.Contains(name, "kitty"), strings.Contains(name, "ghostty"), program == "ghostty", program == "WezTerm":
		return Kitty
	case strings.HasPrefix(name, "foot"), strings.HasPrefix(name, "mlterm"), strings.HasPrefix(name, "contour"), strings.Contains(name, "sixel"):
		return Sixel
	}
	return Blocks
}

// NewTerminal draws on out, whose size is asked for before each picture.
func NewTerminal(out io.Writer, g Graphics, size func() Screen) *Terminal {
	return &Terminal{out: out, graphics: g, size: size}
}

// Write writes lines above the picture.
func (t *Terminal) Write(lines []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.out.Write(fmt.Appendf(nil, "%s%s%s", t.up(), ansi.EraseScreenBelow, lines)); err != nil {
		return 0, err
	}
	t.drawn = 0
	return len(lines), t.draw()
}

// Status sets the line below the picture, which is drawn at most ten times a second.
func (t *Terminal) Status(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line = line; time.Since(t.lined) >= shortestWait {
		fmt.Fprint(t.out, strings.Repeat(ansi.CursorUp(1)+"\r", min(t.drawn, 1)), t.lineText())
		t.drawn = max(t.drawn, 1)
	}
}

// Show draws a picture.
func (t *Terminal) Show(f *filter.Frame) error {
	s := t.size()
	if s.CellW == 0 || s.CellH == 0 {
		s.CellW, s.CellH = 10, 20
	}
	columns, rows := max(s.Columns-1, 1), max(min(s.Rows-3, 40), 1)
	text, height := "", 0
	switch t.graphics {
	case Blocks:
		text, height = halfBlocks(fitted(f, columns, 2*rows))
	default:
		m := imageOf(fitted(f, min(columns*s.CellW, terminalSide), min(rows*s.CellH, terminalSide)))
		height = (m.Bounds().Dy() + s.CellH - 1) / s.CellH
		var b bytes.Buffer
		var err error
		if t.graphics == Kitty {
			err = kitty.EncodeGraphics(&b, m, &kitty.Options{Action: kitty.TransmitAndPut, Quite: 2, ID: 7, PlacementID: 1, Format: kitty.RGB,
				ImageWidth: m.Bounds().Dx(), ImageHeight: m.Bounds().Dy(), Compression: kitty.Zlib, Transmission: kitty.Direct, Chunk: true, DoNotMoveCursor: true})
		} else if err = new(sixel.Encoder).Encode(&b, m); err == nil {
			data := ansi.SixelGraphics(0, 1, 0, b.Bytes())
			b.Reset()
			b.WriteString(ansi.SaveCursor + data + ansi.RestoreCursor)
		}
		if err != nil {
			return err
		}
		// Room first, for a terminal scrolls.
		text = strings.Repeat("\n", height) + ansi.CursorUp(height) + b.String() + ansi.CursorDown(height) + "\r"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.picture, t.height = text, height
	return t.draw()
}

// up moves the cursor to where the picture begins.
func (t *Terminal) up() string {
	if t.drawn == 0 {
		return "\r"
	}
	return ansi.CursorUp(t.drawn) + "\r"
}

// draw draws picture and line over what is drawn.
func (t *Terminal) draw() error {
	text := t.up() + t.picture
	t.drawn = t.height
	if t.line != "" {
		text += t.lineText()
		t.drawn++
	}
	_, err := io.WriteString(t.out, text+ansi.EraseScreenBelow)
	return err
}

// lineText writes the line, cut off where the terminal ends.
func (t *Terminal) lineText() string {
	t.lined = time.Now()
	return ansi.Truncate(t.line, max(t.size().Columns-1, 1), "…") + ansi.EraseLineRight + "\n"
}

// halfBlocks writes a picture as text, two pixels to a cell, and returns how many lines that is.
func halfBlocks(f *filter.Frame) (text string, lines int) {
	m := imageOf(f)
	var b strings.Builder
	for y := 0; y < f.H; y += 2 {
		for x := range f.W {
			high := m.RGBAAt(x, y)
			fmt.Fprintf(&b, "\x1b[38;2;%d;%d;%dm", high.R, high.G, high.B)
			if y+1 < f.H {
				low := m.RGBAAt(x, y+1)
				fmt.Fprintf(&b, "\x1b[48;2;%d;%d;%dm", low.R, low.G, low.B)
			}
			b.WriteString("▀")
		}
		b.WriteString(ansi.ResetStyle + ansi.EraseLineRight + "\n")
	}
	return b.String(), (f.H + 1) / 2
}
