package contact

import (
	"image"
	"strings"
	"testing"

	"nstfilter/filter"
)

// No two places overlap, each holds its picture, and all are on the sheet, whatever the
// number of photos and styles, and in bands too.
func TestLayout(t *testing.T) {
	for _, n := range []struct{ photos, styles, columns int }{{1, 1, 1}, {3, 6, 6}, {1, 30, 0}, {40, 2, 2}, {2, 7, 0}, {0, 30, 0}} {
		var photos, styles []image.Point
		for i := range n.photos {
			photos = append(photos, []image.Point{{320, 240}, {200, 320}, {}}[i%3])
		}
		for i := range n.styles {
			styles = append(styles, []image.Point{{320, 256}, {320, 320}}[i%2])
		}
		l := newLayout(320, photos, styles)
		if n.columns > 0 && l.columns != n.columns {
			t.Errorf("%d photos in %d styles: %d columns, want %d", n.photos, n.styles, l.columns, n.columns)
		}
		w, h := l.size()
		if n.styles == 30 && (w > 2*h || h > 2*w) {
			t.Errorf("30 styles of %d photos: %d×%d", n.photos, w, h)
		}
		if left := l.box(-1, 0, 0).Min.X; n.photos == 0 && left != l.gap {
			t.Errorf("without photos the first picture is at %d, want %d: their column is empty", left, l.gap)
		}
		var boxes []image.Rectangle
		put := func(row, column, band int, size image.Point) {
			box := l.box(row, column, band)
			if size.X > box.Dx() || size.Y > box.Dy() {
				t.Errorf("a picture of %v does not go into %v", size, box)
			}
			boxes = append(boxes, box.Union(l.name(box)))
		}
		for c := range styles {
			put(-1, c, 0, styles[c])
		}
		for r := range photos {
			for b := range l.bands() {
				put(r, -1, b, photos[r])
			}
			for c := range styles {
				put(r, c, 0, photos[r])
			}
		}
		for i, a := range boxes {
			if !a.In(image.Rect(0, 0, w, h)) {
				t.Fatalf("%d photos in %d styles: %v is outside %d×%d", n.photos, n.styles, a, w, h)
			}
			for _, b := range boxes[:i] {
				if a.Overlaps(b) {
					t.Fatalf("%d photos in %d styles: %v and %v overlap", n.photos, n.styles, a, b)
				}
			}
		}
	}
}

// A photo comes back as it was drawn, names and reasons are ink, and transparency is white.
func TestSheet(t *testing.T) {
	size := image.Pt(40, 30)
	photo := filter.NewFrame(40, 30)
	for i := range photo.Pix {
		photo.Pix[i] = float32(i%97) / 97
	}
	s, notes := New(64, []string{"folder/a.jpg", "火箭.jpg"}, []string{"s.jpg"}, []image.Point{size, {}}, []image.Point{size})
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "photo 2 on the sheet is 火箭.jpg") {
		t.Errorf("notes %q", notes)
	}
	s.SetPhoto(0, photo)
	got := s.Photo(0)
	for i, v := range photo.Pix {
		if got.W != 40 || got.H != 30 || got.Pix[i] != v {
			t.Fatalf("sample %d is %v, want %v", i, got.Pix[i], v)
		}
	}
	ink := func(box image.Rectangle) (n int) {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				if s.Pix[y*s.W+x] < 0.5 {
					n++
				}
			}
		}
		return n
	}
	for row, name := range []string{"a.jpg", "photo 2"} {
		if n := ink(s.name(s.box(row, -1, 0))); n < 20 {
			t.Errorf("%s has %d dark pixels", name, n)
		}
	}
	if bad := s.box(1, -1, 0); ink(bad) != 0 {
		t.Error("a picture that could not be read is not white")
	}
	s.FailPhoto(1, "a reason that is far longer than there is room for: "+strings.Repeat("word ", 200))
	if n := ink(s.box(1, -1, 0)); n < 50 {
		t.Errorf("the reason has %d dark pixels", n)
	}
	clear := filter.NewFrame(40, 30)
	clear.Alpha = make([]float32, 40*30)
	s.SetDraft(0, 0, clear)
	if n := ink(s.box(0, 0, 0)); n != 0 {
		t.Errorf("a transparent picture has %d dark pixels", n)
	}
}

// A name that is too long keeps its end.
func TestShortened(t *testing.T) {
	w := newWriter(20)
	long := strings.Repeat("painting ", 20) + ".jpg"
	got := w.shortened(long, 200)
	if w.width(got) > 200 || w.width(got) < 150 || !strings.HasSuffix(got, ".jpg") || !strings.HasPrefix(got, "paint") {
		t.Errorf("%q, %d pixels", got, w.width(got))
	}
	if got := w.shortened("a.jpg", 200); got != "a.jpg" {
		t.Errorf("%q", got)
	}
}
