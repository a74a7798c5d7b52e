package tiling

// Windows are what an engine plans for each shape of tile, of which there are few.
type Windows[P any] map[[2]Span]P

// NewWindows calls plan once for each shape, with its column and row as the window
// counts.
func NewWindows[P any](t Tiles, plan func(x, y Span) P) Windows[P] {
	w := Windows[P]{}
	for _, y := range shapes(t.Rows) {
		for _, x := range shapes(t.Columns) {
			w[[2]Span{x, y}] = plan(x, y)
		}
	}
	return w
}

// At is the plan of the tile in a column and a row.
func (w Windows[P]) At(x, y Span) P { return w[[2]Span{x.Local(), y.Local()}] }
