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
func (j firstJob) patches(d *device, kernel string, w, h, deep, shared int, args ...any) {
	grid := [3]int{blocks(j.field.w, w), blocks(j.field.h, h), deep}
	d.launch(kernel, grid, [3]int{threads, 1, 1}, shared, args...)
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
	j.patches(d, "first_f32", firstWidth, firstHeight, blocks(j.field.c, firstChannels), 0, j.args()...)
}

func (simt) firstBack(d *device, j firstJob) {
	j.patches(d, "first_back_f32", firstWidth, firstHeight, 1, 0, j.args()...)
	border := blocks(2*(j.field.w+j.field.h)*borderWarp, threads)
	d.launch("first_border_f32", [3]int{border, 1, 1}, [3]int{threads, 1, 1}, 0, j.args()...)
}

func (j firstJob) args() []any {
	return []any{j.x, j.width, j.height, j.x0, j.y0, j.field.hi, j.field.w, j.field.h, j.field.c, j.weights}
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
	d.launch("split_first", [3]int{blocks(32*c, threads), 1, 1}, [3]int{threads, 1, 1}, 0, raw, p, l.Out, c, scale)
	u := make([]float32, c+7)
	copy(u, l.Bias)
	normalize(u[c:], n)
	u[c+6] = float32(1 / scale)
	d.upload(p+cu.DevicePtr(firstUnits(c)), unsafe.Pointer(&u[0]), 4*int64(len(u)))
	d.wait() // before raw is freed
	return p, nil
}

func (*tensor) first(d *device, j firstJob) {
	j.patches(d, "first_split", firstWidth, firstHeight, 1, 0, j.splitArgs()...)
}

func (t *tensor) firstBack(d *device, j firstJob) {
	stages := min(3, (t.shared-firstProducts)/firstStage)
	j.patches(d, "first_back_split", firstInnerWidth, firstInnerHeight, 1, firstProducts+stages*firstStage,
		append(j.splitArgs(), stages)...)
}

func (j firstJob) splitArgs() []any {
	return []any{j.x, j.width, j.height, j.x0, j.y0, j.field.hi, j.field.lo, j.field.w, j.field.h, j.field.c, j.weights}
}
