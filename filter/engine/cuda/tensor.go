//go:build cuda

package cuda

import (
	"math"

	"gorgonia.org/cu"

	"nstfilter/weights"
)

// tensor multiplies 16-bit numbers with float32 sums, on tensor cores. Activations are
// binary16, with TF32's 11 bits of mantissa. Gradients are bfloat16, with 8 bits and the
// range that gradients need. The relative error of a product with three terms, from both
// planes of value and weight, is at most 2⁻²¹ forward and 2⁻¹⁶ backward; with one term it is
// at most 2⁻¹¹ and 2⁻⁸.
type tensor struct {
	processors int // of the GPU
	shared     int // most bytes of a block's shared memory
	wgmma      bool
}

var _ products = (*tensor)(nil)

// newTensor asks the GPU for the limits of blocks.
func newTensor(ordinal int, i Info) (*tensor, error) {
	t := &tensor{wgmma: i.Major == 9}
	var err error
	if t.processors, err = cu.Device(ordinal).Attribute(cu.MultiprocessorCount); err != nil {
		return nil, err
	}
	t.shared, err = cu.Device(ordinal).Attribute(sharedPerBlockOptin)
	return t, err
}

// sharedPerBlockOptin is CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, which cu
// does not name.
const sharedPerBlockOptin cu.DeviceAttribute = 97

func (*tensor) format() string { return "split" }

// align is 1: the order of a position's sum is the same wherever it lies in a patch.
func (*tensor) align() int { return 1 }

// planesOf returns how many planes a product of terms reads.
func planesOf(terms int) int64 {
	if terms == 1 {
		return 1
	}
	return 2
}

// columns returns the output channels of a block, and of one warp (kernels/product.cuh).
func (t *tensor) columns(out int) (block, warp int) {
	switch {
	case out%128 == 0:
		block, warp = 128, 64
	case out%96 == 0:
		block, warp = 96, 48
	case out%64 == 0:
		block, warp = 64, 64
	default:
		block, warp = 32, 32
	}
	return block, warp
}

func (*tensor) filterBytes(l *weights.Layer, back bool, terms int) int64 {
	n := planesOf(terms) * 2 * 9 * int64(padded(l.In)*padded(l.Out))
	if !back {
		n += 4 * int64(padded(l.Out))
	}
	return n
}

func (t *tensor) filter(d *device, l *weights.Layer, back bool, terms int) (f filter, err error) {
	f = filter{in: padded(l.In), out: padded(l.Out), terms: terms}
	scale := 1.
	if back {
		f.in, f.out = f.out, f.in
	} else {
		scale = scaleOf(l.Weight)
		f.unscale = 1 / scale
	}
	raw, err := d.put("the weights of "+l.Tap(), l.Weight)
	if err != nil {
		return f, err
	}
	defer d.free(raw)
	n := 9 * f.in * f.out
	if f.weights, err = d.alloc("the weights of "+l.Tap(), planesOf(terms)*2*int64(n)); err != nil {
		return f, err
	}
	block, warp := t.columns(f.out)
	if t.wgmma {
		warp = block
	}
	splitFilterKernel.each(d, n, splitFilterArgs{src: raw, hi: f.weights, lo: lowPlane(f.weights, n, terms), out: l.Out, in: l.In,
		paddedOut: f.out, paddedIn: f.in, block: block, N: warp, back: toInt(back), scale: scale})
	if !back {
		if f.bias, err = d.biases(l); err != nil {
			d.free(f.weights)
			return f, err
		}
	}
	d.wait() // before raw is freed
	return f, nil
}

// scaleOf returns the power of two that brings the largest weight between 2⁹ and 2¹⁰, because
// small binary16 numbers lose bits.
func scaleOf(w []float32) float64 {
	largest := 0.
	for _, v := range w {
		largest = max(largest, math.Abs(float64(v)))
	}
	if largest == 0 {
		return 1
	}
	_, exponent := math.Frexp(largest)
	return math.Ldexp(1, 10-exponent)
}

// lowPlane returns the lo plane of n values whose hi plane begins at hi, 0 for one term.
func lowPlane(hi cu.DevicePtr, n, terms int) cu.DevicePtr {
	if terms == 1 {
		return 0
	}
	return hi + cu.DevicePtr(2*n)
}

func (*tensor) convScratch(in, out, w, h, terms int) int64 { return 0 }

// patchRows returns the height of a block's patch: 16, or 8 if it fills the processors so much
// better that this outweighs its higher cost per position.
func (t *tensor) patchRows(w, h, columns int) int {
	rounds := func(rows int) int { return blocks(blocks(w, 16)*blocks(h, rows)*columns, t.processors) }
	if 10*rounds(16) > 6*rounds(8) {
		return 8
	}
	return 16
}

// stageBytes is patch::STAGE of kernels/product.cuh.
func stageBytes(taps, rows, columns int) int {
	positions, planes, steps := 16*rows, 4, 2
	if taps == 9 {
		positions, planes, steps = 18*(rows+2), 2, 9
	}
	plane := positions + (8/planes-positions%8+8)%8
	return 16 * (planes*plane + steps*2*columns)
}

func (t *tensor) conv(d *device, j convolution) {
	block, _ := t.columns(j.dst.c)
	rows := t.patchRows(j.dst.w, j.dst.h, j.dst.c/block)
	stage := stageBytes(9, rows, block)
	there, back, stages := thereKernel, backKernel, min(3, t.shared/stage)
	threads := 8 * rows // a warp has 4 rows and at most 64 channels
	if block > 64 {
		threads *= 2
	}
	if t.wgmma {
		there, back, threads = "wgmma_"+there, "wgmma_"+back, 16*rows
		stage += 8 // a bulk copy's barrier
		switch slices := j.src.c / 16 * j.filter.terms; {
		case slices == 2 && j.tap == nil:
			stages = 2 // then no stage is filled twice
		case block > 64:
			stages = 4
		}
	}
	grid := [3]int{blocks(j.dst.w, 16) * blocks(j.dst.h, rows), j.dst.c / block, 1}
	size := convSizes[[2]int{block, rows}]
	low := lowPlane(j.filter.weights, 9*j.src.c*j.dst.c, j.filter.terms)
	if j.filter.bias != 0 {
		there.of(size).launch(d, grid, [3]int{threads, 1, 1}, stages*stage, thereArgs{srcHi: j.src.hi, srcLo: j.src.lo,
			wHi: j.filter.weights, wLo: low, bias: j.filter.bias, scale: j.filter.unscale, dstHi: j.dst.hi, dstLo: j.dst.lo,
			h: j.dst.h, w: j.dst.w, in: j.src.c, out: j.dst.c, terms: j.filter.terms, stages: stages})
		return
	}
	var tap tapJob
	if j.tap != nil {
		tap = *j.tap
		j.gate = tap.a.hi
	}
	back.of(size).launch(d, grid, [3]int{threads, 1, 1}, stages*stage, backArgs{srcHi: j.src.hi, srcLo: j.src.lo,
		wHi: j.filter.weights, wLo: low, gate: j.gate, dstHi: j.dst.hi, dstLo: j.dst.lo,
		h: j.dst.h, w: j.dst.w, in: j.src.c, out: j.dst.c, terms: j.filter.terms, stages: stages,
		aHi: tap.a.hi, aLo: tap.a.lo, dHi: tap.d.at, dLo: lowPlane(tap.d.at, j.dst.c*j.dst.c, tap.d.terms),
		dTerms: tap.d.terms, scale: unscaleOf(tap.d), mean: tap.mean, meanScale: tap.meanScale,
		deltaHi: tap.mdelta.hi, deltaLo: tap.mdelta.lo, weight: tap.weight})
}

// fuses a tap of all positions without shares: its products are then part of the
// convolution's sums.
func (*tensor) fuses(j tapJob) bool {
	return j.shares.at == 0 && j.core == rect{0, 0, j.da.w, j.da.h}
}

// convSizes are the ends of the names of the convolutions' kernels.
var convSizes = map[[2]int]string{{128, 16}: "128_16", {128, 8}: "128_8", {96, 16}: "96_16", {96, 8}: "96_8",
	{64, 16}: "64_16", {64, 8}: "64_8", {32, 16}: "32_16", {32, 8}: "32_8"}

// gramTile is GRAM_TILE of kernels/gram_mma.cuh.
const gramTile = 64

// gramParts divides the positions of a core into parts of one length; the last may be shorter.
func gramParts(c int, core rect) (tiles, parts, length int) {
	n, p := blocks(c, gramTile), core.w*core.h
	tiles = n * (n + 1) / 2
	const enough = 384 // blocks that a large GPU runs at once; fixed, so that sums do not depend on the GPU
	length = min(max(blocks(blocks(p*tiles, enough), 64)*64, 256), 4096)
	return tiles, blocks(p, length), length
}

func (*tensor) gramScratch(c int, core rect, terms int) int64 {
	tiles, parts, _ := gramParts(c, core)
	return 4 * int64(parts) * int64(tiles*gramTile*gramTile+c)
}

func (*tensor) gram(d *device, j gramJob) {
	if j.core.w*j.core.h == 0 {
		return
	}
	c := j.a.c
	tiles, parts, length := gramParts(c, j.core)
	sums := j.scratch + cu.DevicePtr(4*parts*tiles*gramTile*gramTile)
	const operand = 16 * 8 * (64 + 1) // GRAM_OPERAND
	stages, shared := 4, 2*operand
	if j.a.lo != 0 {
		stages, shared = 3, 4*operand
	}
	gramSplitKernel.launch(d, [3]int{tiles, parts, 1}, [3]int{128, 1, 1}, stages*shared,
		gramSplitArgs{hi: j.a.hi, lo: j.a.lo, shares: j.shares.at, pitch: j.shares.pitch,
			x: j.core.x, y: j.core.y, w: j.core.w, h: j.core.h, width: j.a.w, c: c, length: length, stages: stages,
			partial: j.scratch, sums: sums})
	gramJoinKernel.launch(d, [3]int{blocks(tiles*gramTile*gramTile+c, 32), 1, 1}, [3]int{256, 1, 1}, 0,
		gramJoinArgs{partial: j.scratch, sums: sums, parts: parts, c: c, gram: j.gram, means: j.means})
}

// A packed matrix has its planes, then the factor for its products, then the largest magnitudes
// of its parts.
const largestBlocks = 64 // LARGEST_BLOCKS of kernels/tensor.cu

func (*tensor) matrixBytes(n, terms int) int64 {
	return planesOf(terms)*2*int64(padded(n)*padded(n)) + 4*(1+largestBlocks)
}

// unscaleOf points to the factor for the products of a packed matrix.
func unscaleOf(m packed) cu.DevicePtr {
	if m.at == 0 {
		return 0
	}
	return m.at + cu.DevicePtr(planesOf(m.terms)*2*int64(padded(m.n)*padded(m.n)))
}

func (t *tensor) matrix(d *device, dst packed, src cu.DevicePtr, scale float64) {
	c := padded(dst.n)
	block, warp := t.columns(c)
	if dst.fused && t.wgmma {
		warp = block
	}
	unscale := unscaleOf(dst)
	largest := unscale + 4
	matrixLargestKernel.launch(d, [3]int{largestBlocks, 1, 1}, [3]int{threads, 1, 1}, 0,
		matrixLargestArgs{src: src, n: dst.n * dst.n, largest: largest})
	splitMatrixKernel.each(d, c*c, splitMatrixArgs{src: src, largest: largest, hi: dst.at, lo: lowPlane(dst.at, c*c, dst.terms),
		unscale: unscale, n: dst.n, padded: c, block: block, N: warp, scale: scale})
}

func (t *tensor) multiply(d *device, m packed, src, dst field, core rect) {
	l := t.oneMatrix(dst)
	multiplySplitKernel.of(l.name).launch(d, l.grid, l.block, l.shared, multiplySplitArgs{srcHi: src.hi, srcLo: src.lo,
		mHi: m.at, mLo: lowPlane(m.at, dst.c*dst.c, m.terms), scale: unscaleOf(m), dstHi: dst.hi, dstLo: dst.lo,
		x: core.x, y: core.y, cw: core.w, ch: core.h, h: dst.h, w: dst.w, c: dst.c, terms: m.terms, stages: l.stages})
}

// addTap without a matrix multiplies no terms and runs only the epilogue.
func (t *tensor) addTap(d *device, j tapJob) {
	l := t.oneMatrix(j.da)
	addTapSplitKernel.of(l.name).launch(d, l.grid, l.block, l.shared, addTapSplitArgs{aHi: j.a.hi, aLo: j.a.lo,
		dHi: j.d.at, dLo: lowPlane(j.d.at, j.a.c*j.a.c, j.d.terms), scale: unscaleOf(j.d), daHi: j.da.hi, daLo: j.da.lo,
		x: j.core.x, y: j.core.y, cw: j.core.w, ch: j.core.h, shares: j.shares.at, pitch: j.shares.pitch,
		mean: j.mean, meanScale: j.meanScale, deltaHi: j.mdelta.hi, deltaLo: j.mdelta.lo, weight: j.weight,
		h: j.da.h, w: j.da.w, c: j.da.c, terms: j.d.terms, stages: l.stages})
}

// oneMatrix launches the product of a field with one matrix.
func (t *tensor) oneMatrix(dst field) (l struct {
	name           string
	grid, block    [3]int
	shared, stages int
}) {
	columns, _ := t.columns(dst.c)
	const rows = 16
	stage := stageBytes(1, rows, columns)
	threads := 128
	if columns > 64 {
		threads = 256
	}
	l.name, l.stages = matrixSizes[columns], min(3, t.shared/stage)
	l.grid, l.block, l.shared = [3]int{blocks(dst.w, 16) * blocks(dst.h, rows), dst.c / columns, 1}, [3]int{threads, 1, 1}, l.stages*stage
	return l
}

// matrixSizes are the ends of the names of the kernels for one matrix.
var matrixSizes = map[int]string{128: "128_split", 96: "96_split", 64: "64_split", 32: "32_split"}
