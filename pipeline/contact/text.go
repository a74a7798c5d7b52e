package contact

import (
	"image"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"nstfilter/filter"
)

// writer writes text in the Go font, which has Latin, Greek and Cyrillic.
type writer struct {
	font *sfnt.Font
	face font.Face
}

// newWriter returns a writer for lines of so many pixels.
func newWriter(line int) writer {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // it is built in
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 0.72 * float64(line), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err)
	}
	return writer{f, face}
}

// has reports whether the font has all letters of a text.
func (w writer) has(text string) bool {
	var b sfnt.Buffer
	for _, r := range text {
		if i, err := w.font.GlyphIndex(&b, r); err != nil || i == 0 {
			return false
		}
	}
	return true
}

func (w writer) width(text string) int { return font.MeasureString(w.face, text).Ceil() }

// shortened returns a text of at most so many pixels: of a longer one the middle is left out,
// so that the end of a name stays.
func (w writer) shortened(text string, width int) string {
	letters := []rune(text)
	for n := len(letters); n > 0 && w.width(text) > width; n-- {
		text = string(letters[:n/2]) + "…" + string(letters[len(letters)-n/2:])
	}
	return text
}

// wrapped breaks a text into lines of at most so many pixels.
func (w writer) wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch both := strings.TrimSpace(line + " " + word); {
		case w.width(both) <= width || line == "":
			line = both
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// write writes a line in the middle of a box, in black.
func (w writer) write(f *filter.Frame, box image.Rectangle, text string) {
	text = w.shortened(text, box.Dx())
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	m := w.face.Metrics()
	x, y := (box.Dx()-w.width(text))/2, (box.Dy()+m.Ascent.Ceil()-m.Descent.Ceil())/2
	(&font.Drawer{Dst: mask, Src: image.Opaque, Face: w.face, Dot: fixed.P(max(0, x), y)}).DrawString(text)
	for y := range box.Dy() {
		for x := range box.Dx() {
			ink := float32(mask.AlphaAt(x, y).A) / 255
			for p := range 3 {
				f.Pix[(p*f.H+box.Min.Y+y)*f.W+box.Min.X+x] *= 1 - ink
			}
		}
	}
}
