//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/weights"
)

// Launch parameters of kernels/first.cu and kernels/first_mma.cuh: a block's patch, and
// backward on tensor cores the patch without its border (inner).
const (
	firstWidth       = 32
	firstHeight      = 8
	firstChannels    = 64 // of a block, float32
	firstInnerWidth  = 30
	firstInnerHeight = 14
	firstProducts    = 4 * 27 * (32*16 + 8) // bytes of 27·FIRST_PLANE
	firstStage       = 16 * 4 * threads     // bytes of the gradient
	borderWarp       = 32                   // threads that first_border takes for a pixel
)

// patches launches a kernel of the first convolution with one block per w×h positions.
func (k kernel[A]) patches(d *device, f field, w, h, deep, shared int, args A) {
	k.launch(d, [3]int{blocks(f.w, w), blocks(f.h, h), deep}, [3]int{threads, 1, 1}, shared, args)
}

func (simt) firstBytes(l *weights.Layer) int64 { return 4 * int64(28*padded(l.Out)+6) }

// packFirst: [place][colour][c], biases, means, inverse deviations.
func (s simt) packFirst(d *device, n *weights.Network) (cu.DevicePtr, error) {
	l, c := &n.Layers[0], padded(n.Layers[0].Out)
	u := make([]float32, s.firstBytes(l)/4)
	for i, v := range l.Weight {
		o, colour, place := i/27, i/9%3, i%9
		u[(place*3+colour)*c+o] = v
	}
	copy(u[27*c:], l.Bias)
	normalize(u[28*c:], n)
	return d.put("the weights of "+l.Tap(), u)
}

// normalize writes three means and three inverse deviations.
func normalize(u []float32, n *weights.Network) {
	for colour := range 3 {
		u[colour], u[3+colour] = n.Mean[colour], 1/n.Std[colour]
	}
}

func (simt) first(d *device, j firstJob) {
	firstKernel.patches(d, j.field, firstWidth, firstHeight, blocks(j.field.c, firstChannels), 0,
		firstArgs{x: j.x, width: j.width, height: j.height, x0: j.x0, y0: j.y0,
			act: j.field.hi, w: j.field.w, h: j.field.h, c: j.field.c, u: j.weights})
}

func (simt) firstBack(d *device, j firstJob) {
	args := firstBackArgs{dx: j.x, width: j.width, height: j.height, x0: j.x0, y0: j.y0,
		d: j.field.hi, w: j.field.w, h: j.field.h, c: j.field.c, u: j.weights}
	firstBackKernel.patches(d, j.field, firstWidth, firstHeight, 1, 0, args)
	firstBorderKernel.each(d, 2*(j.field.w+j.field.h)*borderWarp, args)
}

// firstUnits returns the bytes of the packed weights: 32 places per channel, in two planes, for
// both directions.
func firstUnits(c int) int { return 2 * 2 * 2 * 32 * c }

func (*tensor) firstBytes(l *weights.Layer) int64 {
	c := padded(l.Out)
	return int64(firstUnits(c) + 4*(c+7))
}

// packFirst: the weights (kernels/first_mma.cuh), biases, means, inverse deviations, and the
// factor for sums of products.
func (t *tensor) packFirst(d *device, n *weights.Network) (cu.DevicePtr, error) {
	l, c := &n.Layers[0], padded(n.Layers[0].Out)
	raw, err := d.put("the weights of "+l.Tap(), l.Weight)
	if err != nil {
		return 0, err
	}
	defer d.free(raw)
	p, err := d.alloc("the weights of "+l.Tap(), t.firstBytes(l))
	if err != nil {
		return 0, err
	}
	scale := scaleOf(l.Weight)
	splitFirstKernel.each(d, 32*c, splitFirstArgs{src: raw, units: p, out: l.Out, c: c, scale: scale})
	u := make([]float32, c+7)
	copy(u, l.Bias)
	normalize(u[c:], n)
	u[c+6] = float32(1 / scale)
	d.upload(p+cu.DevicePtr(firstUnits(c)), unsafe.Pointer(&u[0]), 4*int64(len(u)))
	d.wait() // before raw is freed
	return p, nil
}

func (*tensor) first(d *device, j firstJob) {
	firstSplitKernel.patches(d, j.field, firstWidth, firstHeight, 1, 0,
		firstSplitArgs{x: j.x, width: j.width, height: j.height, x0: j.x0, y0: j.y0, actHi: j.field.hi, actLo: j.field.lo,
			w: j.field.w, h: j.field.h, c: j.field.c, packed: j.weights})
}

func (t *tensor) firstBack(d *device, j firstJob) {
	stages := min(3, (t.shared-firstProducts)/firstStage)
	firstBackSplitKernel.patches(d, j.field, firstInnerWidth, firstInnerHeight, 1, firstProducts+stages*firstStage,
		firstBackSplitArgs{dx: j.x, width: j.width, height: j.height, x0: j.x0, y0: j.y0, dHi: j.field.hi, dLo: j.field.lo,
			w: j.field.w, h: j.field.h, c: j.field.c, packed: j.weights, stages: stages})
}
