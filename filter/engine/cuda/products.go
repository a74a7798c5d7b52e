//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"nstfilter/weights"
)

// products is where nearly all of the time goes: everything that multiplies matrices,
// in one of two ways, on ordinary cores (simt) or on tensor cores (tensor). All methods
// but the sizes are called inside device.do, launch on the device's stream, wait for
// nothing and, but for filter, allocate nothing. The same call gives the same bits.
//
// Of every field the channels from the network's own number on, which pad it to a
// multiple of 32, are 0, and what is written keeps them so: filters, biases, matrices
// and means are padded with zeros.
type products interface {
	// format is the suffix of the elementwise kernels for these fields: "f32" or "split".
	format() string
	// align is the number of positions, a power of two, at whose multiples a window may
	// begin in a layer so that its activations have the bits of the whole layer's: the
	// side of Winograd's tiles, 1 where a position's sum does not depend on its place.
	align() int

	// filterBytes is what filter allocates.
	filterBytes(l *weights.Layer, back bool, terms int) int64
	// filter packs a layer's weights, and on the way there its biases; back: for the
	// gradient, in and out exchanged and the 3×3 places turned round. It allocates with
	// d.alloc, once for each network and direction; free what the filter holds by
	// filter.free. It fails with an error that wraps engine.ErrMemory.
	filter(d *device, l *weights.Layer, back bool, terms int) (filter, error)
	// firstBytes is what packFirst allocates for a network's first layer.
	firstBytes(l *weights.Layer) int64
	// packFirst packs a network's first convolution, which reads the picture, for both
	// directions: its weights and biases and how the picture is normalised. It allocates
	// with d.alloc, once for each network.
	packFirst(d *device, n *weights.Network) (cu.DevicePtr, error)
	// first evaluates the first convolution and its ReLU in a window.
	first(d *device, j firstJob)
	// firstBack adds to the picture's gradient what a window's is before the ReLU.
	firstBack(d *device, j firstJob)

	// convScratch is the bytes of convolution.scratch for padded channels and w×h
	// positions.
	convScratch(in, out, w, h, terms int) int64
	// conv does dst = src * filter, 3×3 with zeros outside. On the way there biases and
	// ReLU follow; on the way back a tap may come on top, and dst becomes 0 where the gate
	// does not let through.
	conv(d *device, j convolution)
	// fuses reports whether conv can do what addTap does of a tap below it.
	fuses(j tapJob) bool

	// gramScratch is the bytes of gramJob.scratch for padded channels.
	gramScratch(c int, core rect, terms int) int64
	// gram adds to the sums of the moments over a core.
	gram(d *device, j gramJob)

	// matrixBytes is what a packed n×n matrix takes; n is not padded.
	matrixBytes(n, terms int) int64
	// matrix packs scale times an n×n float32 matrix, dst.n·dst.n in rows, which is
	// symmetric.
	matrix(d *device, dst packed, src cu.DevicePtr, scale float64)
	// multiply does dst_p = M·src_p at each position of the core; elsewhere dst keeps what
	// it held. src and dst are as large as each other and distinct.
	multiply(d *device, m packed, src, dst field, core rect)
	// addTap adds the gradient of a tap's moments.
	addTap(d *device, j tapJob)
}

// padded channels of a field.
func padded(c int) int { return (c + 31) / 32 * 32 }

// field is an activation or a gradient: w×h positions in rows, each of c channels, next
// to each other; channel k of position (x, y) is element (y·w+x)·c+k. In the format f32
// hi holds float32 and lo is 0. In the format split both hold binary16, of gradients
// bfloat16; the value is hi+lo, and lo may be 0, which stands for a plane of zeros: do not
// read it, do not write it.
type field struct {
	hi, lo  cu.DevicePtr
	w, h, c int // c padded
}

// rect is a part of a field, in positions.
type rect struct{ x, y, w, h int }

// shares are the m_p of the positions of a core (engine.Shares): float32, the first at
// at, each row of the core pitch elements after the one before; at is 0 where all are 1.
type shares struct {
	at    cu.DevicePtr
	pitch int
}

// filter is one convolution's weights for one direction, packed by products.filter.
type filter struct {
	weights cu.DevicePtr // in a layout of the products' own
	bias    cu.DevicePtr // float32, out of them; 0 on the way back
	in, out int          // padded; as this direction sees them
	terms   int          // 3: hi·hi + hi·lo + lo·hi; 1: hi·hi; f32 has 1
	unscale float64      // the sums must be times it; 0 where the weights are not scaled
}

// free gives the weights' memory back.
func (f filter) free(d *device) {
	d.free(f.weights)
	if f.bias != 0 {
		d.free(f.bias)
	}
}

// firstJob is one call of first or firstBack, in a window of the picture.
type firstJob struct {
	x             cu.DevicePtr // the picture or its gradient: float32 (3, height, width)
	width, height int
	x0, y0        int          // the window's corner
	field         field        // as large as the window: the activation, or its gradient
	weights       cu.DevicePtr // from packFirst
}

// convolution is one call of conv. src.c is filter.in, dst.c is filter.out. With one
// term only src.hi is read.
type convolution struct {
	src, dst field
	filter   filter
	gate     cu.DevicePtr // the hi plane of an activation as large as dst: 0 where it is ≤ 0; may be 0: all passes
	tap      *tapJob      // on top, where fuses says so; da is dst and a the gate. nil: none
	scratch  cu.DevicePtr
}

// gramJob is one call of gram: gram += Σ_p m_p·a_p·a_pᵀ, means += Σ_p m_p·a_p over the
// positions p of core. Products of lo planes with each other are left out.
type gramJob struct {
	a       field // a.lo 0: one term
	core    rect
	shares  shares
	gram    cu.DevicePtr // float64, c×c in rows; only column ≥ row is read afterwards
	means   cu.DevicePtr // float64, c
	scratch cu.DevicePtr
}

// packed is a symmetric matrix for multiply and addTap: matrixBytes(n, terms) at at.
type packed struct {
	at    cu.DevicePtr // 0: no matrix
	n     int          // not padded
	terms int          // with one term only the fields' hi planes are multiplied
	fused bool         // for conv's tap, not for multiply and addTap
}

// tapJob is one call of addTap. At the positions of core
//
//	da_p += m_p·(D·a_p + meanScale·mean + weight·mdelta_p)
//
// and then, in the whole field, da becomes 0 where a ≤ 0: outside the core too, for
// there it holds what comes from above. Sums are float32 before they are stored.
type tapJob struct {
	a         field // its hi plane is the gate
	da        field
	core      rect
	shares    shares
	d         packed       // d.at 0: no such term
	mean      cu.DevicePtr // float32, a.c; 0: no such term
	meanScale float64
	mdelta    field // as large as a; hi 0: no such term
	weight    float64
}
