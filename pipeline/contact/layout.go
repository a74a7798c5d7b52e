package contact

import (
	"image"
	"math"
)

// layout is where pictures are on a sheet, in pixels. Columns are styles; where all side by
// side would make the sheet too wide they are in several bands, one below the other, each with
// all photos.
type layout struct {
	cell, gap, text int   // sides of the largest picture, space between, height of a line of text
	width           int   // of a column
	head            int   // height of the styles' pictures
	rows            []int // heights of the photos' pictures
	styles, columns int   // all, and in a band
}

// bestShape is the width of a sheet over its height that columns are chosen for.
const bestShape = 4.0 / 3

// newLayout lays out pictures of these sizes, none larger than cell; a zero one could not be
// read, and its place has room for the reason.
func newLayout(cell int, photos, styles []image.Point) layout {
	l := layout{cell: cell, gap: max(6, cell/40), text: max(13, cell/16), styles: len(styles)}
	l.width = cell / 3 // or names would be cut too short
	least := min(cell, 4*l.text)
	l.head = least
	for _, s := range styles {
		l.width, l.head = max(l.width, s.X), max(l.head, s.Y)
	}
	for _, p := range photos {
		l.width, l.rows = max(l.width, p.X), append(l.rows, max(least, p.Y))
	}
	best := math.Inf(1)
	for n := l.styles; n > 0; n-- {
		l.columns = n
		if w, h := l.size(); math.Abs(math.Log(float64(w)/float64(h)/bestShape)) < best {
			best = math.Abs(math.Log(float64(w) / float64(h) / bestShape))
		}
	}
	for n := l.styles; n > 0; n-- { // the most columns of those that are about as good
		l.columns = n
		if w, h := l.size(); math.Abs(math.Log(float64(w)/float64(h)/bestShape)) <= best+0.1 {
			break
		}
	}
	return l
}

func (l *layout) bands() int { return (l.styles + l.columns - 1) / l.columns }

// photoColumns is 1 for the photos' own pictures, or 0 if there are no photos.
func (l *layout) photoColumns() int { return min(len(l.rows), 1) }

// bandHeight is that of the styles' pictures, all rows, and the space below.
func (l *layout) bandHeight() int {
	h := l.head + l.text + l.gap
	for _, r := range l.rows {
		h += r + l.text + l.gap
	}
	return h + l.gap
}

func (l *layout) size() (w, h int) {
	return l.gap + (l.photoColumns()+l.columns)*(l.width+l.gap), l.gap + l.bands()*l.bandHeight()
}

// box is where a picture may be: of photo row and style column. Row -1 is the styles' own
// pictures, column -1 with a band the photos' own. The picture's name is below it.
func (l *layout) box(row, column, band int) image.Rectangle {
	x, height := 0, l.head
	if column >= 0 {
		band, x = column/l.columns, l.photoColumns()+column%l.columns
	}
	y := l.gap + band*l.bandHeight()
	if row >= 0 {
		y += l.head + l.text + l.gap
		for _, r := range l.rows[:row] {
			y += r + l.text + l.gap
		}
		height = l.rows[row]
	}
	left := l.gap + x*(l.width+l.gap)
	return image.Rect(left, y, left+l.width, y+height)
}

// name is where the name below a box is.
func (l *layout) name(box image.Rectangle) image.Rectangle {
	return image.Rect(box.Min.X, box.Max.Y, box.Max.X, box.Max.Y+l.text)
}
