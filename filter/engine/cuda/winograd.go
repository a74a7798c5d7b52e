//go:build cuda

package cuda

import "gorgonia.org/cu"

// A Winograd tile has 4×4 positions, 6×6 of input, and 36 products.
const (
	winogradSide   = 4
	winogradPoints = 36
)

// winogradScratch bounds the scratch memory of the transforms, in bytes. It is enough for chunks
// of tiles that fill a large GPU several times.
const winogradScratch = 128 << 20

// winogradBytes returns the bytes of the transforms of the tiles.
func winogradBytes(in, out, tiles int) int64 {
	return winogradPoints * 4 * int64(in+out) * int64(tiles)
}

func winogradTiles(w, h int) int { return blocks(w, winogradSide) * blocks(h, winogradSide) }

// winogradChunk returns how many tiles of a field are transformed at a time: all, or equal
// chunks of whole blocks.
func (s simt) winogradChunk(in, out, w, h int) int {
	all, scratch := winogradTiles(w, h), s.scratch
	if scratch == 0 {
		scratch = winogradScratch
	}
	most := max(1, int(scratch/winogradBytes(in, out, tileRows))) * tileRows
	chunks := blocks(all, most)
	return min(all, blocks(blocks(all, chunks), tileRows)*tileRows)
}

func (s simt) winograd(d *device, j convolution) {
	w, h, in, out := j.src.w, j.src.h, j.filter.in, j.filter.out
	all, chunk := winogradTiles(w, h), s.winogradChunk(in, out, w, h)
	v := j.scratch
	for first := 0; first < all; first += chunk {
		n := min(chunk, all-first)
		m := v + cu.DevicePtr(winogradBytes(in, 0, n))
		winogradInputKernel.each(d, n*in,
			winogradInputArgs{v: v, src: j.src.hi, height: h, width: w, c: in, first: first, tiles: n})
		winogradMultiplyKernel.tiles(d, n, out, winogradPoints,
			winogradMultiplyArgs{m: m, v: v, u: j.filter.weights, tiles: n, in: in, out: out})
		winogradOutputKernel.each(d, n*out, winogradOutputArgs{dst: j.dst.hi, m: m, bias: j.filter.bias, gate: j.gate,
			height: h, width: w, c: out, first: first, tiles: n})
	}
}
