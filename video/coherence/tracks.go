package coherence

import (
	"math"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

const (
	cellSide    = 4    // pixels on each side of a cell, which one point stands for
	reach       = 1.06 // cells: how far from a cell's middle its point may be; 1.06 allows enlarging by 1.5 before detail counts as new
	longestIdle = 8    // frames that a point is followed without a cell that it stands for
	minLink     = 0.5  // confidence in the flow of a point that is followed
	pointColour = 5    // pixels on each side of the square whose mean colour a point has
	longestPart = 2048 // frames of a scene that are looked at together, for memory's sake
)

// tracks follows points through a scene along the flow, as Sundaram, Brox, Keutzer (ECCV 2010)
// do, to know which frames show the same. A cell of a frame whose point was born in frame a and
// is last seen in frame b is shown by every frame from a to b, and by no other. So lives says
// of all frames at once what each of them shows of the others.
type tracks struct {
	w, h, columns, rows int

	frame  int // the latest, from 0
	points []trackPoint
	owner  []int32 // the point of each cell; -1: none is near

	first []int32 // a cell's first point, as number in points; -1: none
	next  []int32 // the point in the same cell after this one

	// lives[a·length+b] is how many cells are stood for, in all frames, by points that were born
	// in frame a and last seen in frame b.
	lives  []uint32
	length int
}

type trackPoint struct {
	x, y   float32
	colour [3]float32 // where it was born
	born   int32      // frame
	cells  uint32     // that it has stood for, in all frames
	idle   int32      // frames since it last stood for one
}

// newTracks follows points through scenes of at most length frames of w×h.
func newTracks(w, h, length int) *tracks {
	t := &tracks{w: w, h: h, columns: (w + cellSide - 1) / cellSide, rows: (h + cellSide - 1) / cellSide, length: length}
	t.owner, t.first = make([]int32, t.cells()), make([]int32, t.cells())
	t.lives = make([]uint32, length*length)
	return t
}

func (t *tracks) cells() int { return t.columns * t.rows }

// begin begins a scene with content.
func (t *tracks) begin(mem *pool, content *filter.Frame) {
	for a := range t.frame + 1 {
		clear(t.lives[a*t.length:][:t.frame+1])
	}
	t.frame, t.points = 0, t.points[:0]
	colours := t.colours(mem, content)
	t.cover(colours)
	mem.put(colours)
}

// advance follows the points to content, by the flow that leads there from the frame before
// and the confidence in it.
func (t *tracks) advance(mem *pool, content *filter.Frame, forward *flow.Field, confidence []float32) {
	colours := t.colours(mem, content)
	kept := t.points[:0]
	for _, p := range t.points {
		i := t.pixel(p.x, p.y)
		u, v, known := forward.At(i%t.w, i/t.w)
		x, y := p.x+u, p.y+v
		if !known || confidence[i] < minLink || x < 0 || y < 0 || x > float32(t.w-1) || y > float32(t.h-1) ||
			colourDistance(p.colour, colourAt(colours, t.pixel(x, y))) > brightnessHigh || p.idle >= longestIdle {
			t.bury(&p)
			continue
		}
		p.x, p.y = x, y
		kept = append(kept, p)
	}
	t.points = kept
	t.frame++
	t.cover(colours)
	mem.put(colours)
}

// finish ends the scene.
func (t *tracks) finish() {
	for i := range t.points {
		t.bury(&t.points[i])
	}
	t.points = t.points[:0]
}

// bury counts a point that was last seen in the latest frame.
func (t *tracks) bury(p *trackPoint) { t.lives[int(p.born)*t.length+t.frame] += p.cells }

// cover finds the point of each cell, and makes one where none is near.
func (t *tracks) cover(colours []float32) {
	for i := range t.first {
		t.first[i] = -1
	}
	t.next = t.next[:0]
	for i, p := range t.points {
		cell := int(p.y)/cellSide*t.columns + int(p.x)/cellSide
		t.next, t.first[cell] = append(t.next, t.first[cell]), int32(i)
		t.points[i].idle++
	}
	for row := range t.rows {
		for column := range t.columns {
			cell := row*t.columns + column
			if t.owner[cell] = t.nearest(column, row); t.owner[cell] >= 0 {
				t.points[t.owner[cell]].cells++
				t.points[t.owner[cell]].idle = 0
			}
		}
	}
	for cell, owner := range t.owner {
		if owner < 0 {
			x, y := t.middle(cell%t.columns, cell/t.columns)
			t.points = append(t.points, trackPoint{x: x, y: y, colour: colourAt(colours, t.pixel(x, y)), born: int32(t.frame), cells: 1})
		}
	}
}

// nearest returns the number of the point that is nearest to a cell's middle, or -1 if none is
// in reach.
func (t *tracks) nearest(column, row int) int32 {
	x, y := t.middle(column, row)
	nearest, least := int32(-1), float32(reach*cellSide*reach*cellSide)
	for r := max(row-1, 0); r <= min(row+1, t.rows-1); r++ {
		for c := max(column-1, 0); c <= min(column+1, t.columns-1); c++ {
			for i := t.first[r*t.columns+c]; i >= 0; i = t.next[i] {
				dx, dy := t.points[i].x-x, t.points[i].y-y
				if d := dx*dx + dy*dy; d < least || d == least && i < nearest {
					nearest, least = i, d
				}
			}
		}
	}
	return nearest
}

// middle returns the middle of a cell, which at the right and the bottom may be narrower.
func (t *tracks) middle(column, row int) (x, y float32) {
	return float32(column*cellSide+min((column+1)*cellSide, t.w)-1) / 2, float32(row*cellSide+min((row+1)*cellSide, t.h)-1) / 2
}

// pixel returns the index of the pixel that is nearest to a place in the picture.
func (t *tracks) pixel(x, y float32) int { return int(y+0.5)*t.w + int(x+0.5) }

// colours returns content's means around each pixel, in memory from the pool.
func (t *tracks) colours(mem *pool, content *filter.Frame) []float32 {
	means := mem.get(len(content.Pix))
	mem.boxMean(means, content.Pix, t.w, t.h, pointColour/2)
	return means
}

func colourAt(planes []float32, i int) [3]float32 {
	n := len(planes) / 3
	return [3]float32{planes[i], planes[n+i], planes[2*n+i]}
}

func colourDistance(a, b [3]float32) float64 {
	return (math.Abs(float64(a[0]-b[0])) + math.Abs(float64(a[1]-b[1])) + math.Abs(float64(a[2]-b[2]))) / 3
}
