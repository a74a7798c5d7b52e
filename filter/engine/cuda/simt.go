//go:build cuda

package cuda

import (
	"strconv"

	"gorgonia.org/cu"

	"nstfilter/weights"
)

// simt multiplies float32 on ordinary cores. Convolutions with at least leastWinograd input and
// output channels use Winograd's F(4×4,3×3) (kernels/winograd.cu), which has a quarter of the
// multiplications and four more passes over memory. Narrower ones do not gain by that and are
// direct (kernels/conv.cu).
type simt struct {
	plain   bool  // all convolutions are direct
	scratch int64 // most bytes of scratch for Winograd's transforms; 0: winogradScratch
}

var _ products = simt{}

const leastWinograd = 64

func (simt) format() string { return "f32" }
func (simt) align() int     { return winogradSide }

// tileRows is the number of rows that a block multiplies (ROWS in kernels/simt.cuh); tileWidth
// returns the number of columns, the largest that divides c.
const tileRows = 128

func tileWidth(c int) int {
	for _, n := range []int{128, 96, 64} {
		if c%n == 0 {
			return n
		}
	}
	return 32
}

// tiles launches the kernel for c columns, which multiplies rows by a matrix.
func (k kernel[A]) tiles(d *device, rows, c, times int, args A) {
	n := tileWidth(c)
	grid := [3]int{blocks(rows, tileRows) * (c / n), times, 1}
	k.of(strconv.Itoa(n)).launch(d, grid, [3]int{2 * n, 1, 1}, 0, args)
}

// byWinograd reports whether a convolution uses Winograd; channels are padded.
func (s simt) byWinograd(in, out int) bool { return !s.plain && min(in, out) >= leastWinograd }

// sides returns a layer's padded input and output channels in a direction.
func sides(l *weights.Layer, back bool) (in, out int) {
	if back {
		return padded(l.Out), padded(l.In)
	}
	return padded(l.In), padded(l.Out)
}

func (s simt) filterBytes(l *weights.Layer, back bool, _ int) int64 {
	in, out := sides(l, back)
	bytes := 9 * 4 * int64(in*out)
	if s.byWinograd(in, out) {
		bytes = winogradPoints * 4 * int64(in*out)
	}
	if !back {
		bytes += 4 * int64(out)
	}
	return bytes
}

func (s simt) filter(d *device, l *weights.Layer, back bool, _ int) (f filter, err error) {
	f.in, f.out = sides(l, back)
	f.terms = 1
	raw, err := d.put("the weights of "+l.Tap(), l.Weight)
	if err != nil {
		return filter{}, err
	}
	defer d.free(raw)
	if !back {
		if f.bias, err = d.biases(l); err != nil {
			return filter{}, err
		}
	}
	bytes := s.filterBytes(l, true, 1) // without biases
	if f.weights, err = d.alloc("the weights of "+l.Tap(), bytes); err != nil {
		d.free(f.bias)
		return filter{}, err
	}
	if s.byWinograd(f.in, f.out) {
		winogradFilterKernel.each(d, f.in*f.out, winogradFilterArgs{u: f.weights, weights: raw,
			outs: l.Out, ins: l.In, back: toInt(back), in: f.in, out: f.out})
	} else {
		convFilterKernel.each(d, 9*f.in*f.out, convFilterArgs{dst: f.weights, weights: raw,
			outs: l.Out, ins: l.In, back: toInt(back), in: f.in, out: f.out})
	}
	return f, nil
}

func (s simt) convScratch(in, out, w, h, _ int) int64 {
	if !s.byWinograd(in, out) {
		return 0
	}
	return winogradBytes(in, out, s.winogradChunk(in, out, w, h))
}

// fuses returns false: Winograd's sums are over tiles, not positions.
func (simt) fuses(tapJob) bool { return false }

func (s simt) conv(d *device, j convolution) {
	f := j.filter
	if j.src.c != f.in || j.dst.c != f.out || j.src.w != j.dst.w || j.src.h != j.dst.h {
		panic("cuda: a convolution's fields are not as its filter")
	}
	if s.byWinograd(f.in, f.out) {
		s.winograd(d, j)
		return
	}
	convKernel.tiles(d, j.src.w*j.src.h, f.out, 1, convArgs{dst: j.dst.hi, src: j.src.hi, filter: f.weights,
		bias: f.bias, gate: j.gate, h: j.src.h, w: j.src.w, in: f.in, out: f.out})
}

// A Gram matrix is summed in float32 over spans of gramLeast to gramMost positions, so short
// that gramBlocks blocks have work if there are enough positions.
const (
	gramMost   = 2048
	gramLeast  = 128
	gramBlocks = 1024
)

// gramSpans returns the length of a span, how many there are, and how many pairs of tiles
// of channels.
func gramSpans(c int, core rect) (length, spans, pairs int) {
	n, t := core.w*core.h, c/tileWidth(c)
	pairs = t * (t + 1) / 2
	length = min(max(blocks(n*pairs, gramBlocks), gramLeast), gramMost)
	return length, blocks(n, length), pairs
}

func (simt) gramScratch(c int, core rect, _ int) int64 {
	_, spans, pairs := gramSpans(c, core)
	t := tileWidth(c)
	return 4 * int64(spans) * int64(pairs*t*t+c)
}

func (simt) gram(d *device, j gramJob) {
	c, r := j.a.c, j.core
	length, spans, pairs := gramSpans(c, r)
	if spans == 0 {
		return
	}
	t := tileWidth(c)
	threads := max(t*t/64, 64)
	gramKernel.of(strconv.Itoa(t)).launch(d, [3]int{spans, pairs, 1}, [3]int{threads, 1, 1}, 0,
		gramArgs{sums: j.scratch, a: j.a.hi, share: j.shares.at, pitch: j.shares.pitch,
			x: r.x, y: r.y, w: r.w, h: r.h, width: j.a.w, c: c, span: length})
	gramSumKernel.launch(d, [3]int{(pairs*t*t + c) / 32, 1, 1}, [3]int{256, 1, 1}, 0,
		gramSumArgs{gram: j.gram, means: j.means, sums: j.scratch, spans: spans, c: c, T: t})
}

func (simt) matrixBytes(n, _ int) int64 { return 4 * int64(padded(n)*padded(n)) }

func (s simt) matrix(d *device, dst packed, src cu.DevicePtr, scale float64) {
	c := padded(dst.n)
	packMatrixKernel.each(d, c*c, packMatrixArgs{dst: dst.at, src: src, n: dst.n, c: c, scale: scale})
}

func (s simt) multiply(d *device, m packed, src, dst field, core rect) {
	if core.w*core.h == 0 {
		return
	}
	rows := (core.h-1)*src.w + core.w
	multiplyKernel.tiles(d, rows, src.c, 1, multiplyArgs{dst: dst.hi, src: src.hi, m: m.at,
		x: core.x, y: core.y, w: core.w, h: core.h, width: src.w, c: src.c})
}

func (s simt) addTap(d *device, j tapJob) {
	a, r := j.a, j.core
	if r.w*r.h == 0 {
		r = rect{}
	}
	addTapKernel.tiles(d, a.w*a.h, a.c, 1, addTapArgs{da: j.da.hi, act: a.hi, d: j.d.at, mean: j.mean, meanScale: j.meanScale,
		mdelta: j.mdelta.hi, weight: j.weight, share: j.shares.at, pitch: j.shares.pitch,
		x: r.x, y: r.y, w: r.w, h: r.h, height: a.h, width: a.w, c: a.c})
}
