//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
)

// vector is n float32 in device memory.
type vector struct {
	at cu.DevicePtr
	n  int
}

func (v *vector) Len() int { return v.n }

// vectors has the operations on vectors and on the picture of an evaluator.
type vectors struct {
	device  *device
	w, h    int          // of the picture
	mask    cu.DevicePtr // of the picture, float32; 0: all pixels count
	pairs   float64      // of the mask, or of all the picture, of one plane
	partial cu.DevicePtr // float64, mostPartials: sums of blocks
	totals  cu.DevicePtr // float64, engine.MaxSum: total sums
	table   cu.DevicePtr // engine.MaxSum rows: the terms of a launch
	dots    [engine.MaxSum]float64
	made    []cu.DevicePtr // by NewVector
	squares squares
}

// How the kernels of vectors.cu are launched.
const (
	vectorThreads = 256
	vectorBlocks  = 1024 // at most; the same on all devices, for a sum's order is its blocks'
	pictureX      = 32   // threads of a block in a picture's row
	pictureY      = 8    // and in its column
	tvRows        = 8    // of each thread
	dotBlocks     = 4096 // at most, of vector_dots
	tableRow      = 16   // bytes
)

// vectorGrid returns the number of blocks for n elements.
func vectorGrid(n int) int { return max(1, min(blocks(n, 4*vectorThreads), vectorBlocks)) }

// tvGrid returns the grid of picture_tv for w×h pixels.
func tvGrid(w, h int) [3]int { return [3]int{blocks(w, pictureX), blocks(h, tvRows*pictureY), 3} }

func mostPartials(w, h int) int {
	g := tvGrid(w, h)
	return max(dotBlocks, g[0]*g[1]*g[2])
}

// allocate allocates the memory for sums.
func (v *vectors) allocate(alloc alloc, w, h int) {
	v.partial = alloc("partial sums", 8*int64(mostPartials(w, h)))
	v.totals = alloc("sums", 8*engine.MaxSum)
	v.table = alloc("a table of vectors", tableRow*engine.MaxSum)
}

// close frees what the methods of vectors allocated. Inside alone.
func (v *vectors) close() {
	for _, p := range v.made {
		v.device.free(p)
	}
	v.squares.close(v.device)
	*v = vectors{}
}

func allPairs(w, h int) float64 { return float64(h*(w-1) + (h-1)*w) }

// weigh sets the mask of TV, on the host and on the device; nil and 0 for none.
func (v *vectors) weigh(mask []float32, at cu.DevicePtr) {
	v.mask, v.pairs = at, allPairs(v.w, v.h)
	if mask != nil {
		v.pairs = engine.Pairs(mask, v.w, v.h)
	}
}

// NewVector panics with engine.Failure if there is no memory.
func (v *vectors) NewVector(n int) engine.Vector {
	out := &vector{n: n}
	v.device.do(func() {
		out.at = v.device.mustAlloc("a vector", 4*int64(n))
		v.made = append(v.made, out.at)
		v.device.clear(out.at, 4*int64(n))
	})
	return out
}

// pointer returns x's memory. It panics if x has not n elements.
func pointer(x engine.Vector, n int) cu.DevicePtr {
	v := x.(*vector)
	if v.n != n {
		panic(fmt.Sprintf("cuda: a vector of %d elements where %d are needed", v.n, n))
	}
	return v.at
}

func (v *vectors) View(x engine.Vector, at, n int) engine.Vector {
	of := x.(*vector)
	if at < 0 || n < 0 || at+n > of.n {
		panic(fmt.Sprintf("cuda: elements %d to %d of a vector of %d", at, at+n, of.n))
	}
	return &vector{of.at + cu.DevicePtr(4*at), n}
}

func (v *vectors) Upload(dst engine.Vector, src []float32) {
	p := pointer(dst, len(src))
	if len(src) > 0 {
		v.device.do(func() { v.device.upload(p, unsafe.Pointer(&src[0]), 4*int64(len(src))) })
	}
}

func (v *vectors) Download(dst []float32, src engine.Vector) {
	p := pointer(src, len(dst))
	if len(dst) > 0 {
		v.device.do(func() { v.device.download(unsafe.Pointer(&dst[0]), p, 4*int64(len(dst))) })
	}
}

// elements launches a kernel over n elements.
func (k kernel[A]) elements(d *device, n int, args A) {
	k.launch(d, [3]int{vectorGrid(n), 1, 1}, [3]int{vectorThreads, 1, 1}, 0, args)
}

// addUp writes scale times each of count sums of n partial sums to out.
func (v *vectors) addUp(count, n int, scale float64, out cu.DevicePtr) {
	sumPartialsKernel.launch(v.device, [3]int{count, 1, 1}, [3]int{vectorThreads, 1, 1}, 0,
		sumPartialsArgs{partial: v.partial, n: n, scale: scale, out: out})
}

// total waits for the first of totals and returns it.
func (v *vectors) total() (s float64) {
	v.device.download(unsafe.Pointer(&s), v.totals, 8)
	return s
}

func (v *vectors) Dots(pairs ...[2]engine.Vector) []float64 {
	n := pairs[0][0].Len()
	table := make([][2]uint64, len(pairs))
	for i, p := range pairs {
		table[i] = [2]uint64{uint64(pointer(p[0], n)), uint64(pointer(p[1], n))}
	}
	out := v.dots[:len(pairs)]
	v.device.do(func() {
		chunks := min(vectorGrid(n), dotBlocks/len(pairs))
		vectorDotsKernel.launch(v.device, [3]int{len(pairs), chunks, 1}, [3]int{vectorThreads, 1, 1}, 0,
			vectorDotsArgs{pairs: v.list(table), n: n, partial: v.partial})
		v.addUp(len(pairs), chunks, 1, v.totals)
		v.device.download(unsafe.Pointer(&out[0]), v.totals, 8*int64(len(out)))
	})
	return out
}

func (v *vectors) Combine(y engine.Vector, sum ...engine.Multiple) {
	n := y.Len()
	py := pointer(y, n)
	if len(sum) == 1 && sum[0].By == 1 {
		v.device.do(func() { v.device.copy(py, pointer(sum[0].Of, n), 4*int64(n)) })
		return
	}
	table, bits := make([][2]uint64, len(sum)), py
	for i, m := range sum {
		p := pointer(m.Of, n)
		table[i] = [2]uint64{math.Float64bits(m.By), uint64(p)}
		bits |= p
	}
	wide := bits%16 == 0 // float4 can be read
	v.device.do(func() {
		vectorCombineKernel.elements(v.device, n,
			vectorCombineArgs{y: py, sum: v.list(table), count: len(table), wide: toInt(wide), n: n})
	})
}

// list copies a table to the device; the next call overwrites it.
func (v *vectors) list(table [][2]uint64) cu.DevicePtr {
	v.device.upload(v.table, unsafe.Pointer(&table[0]), tableRow*int64(len(table)))
	return v.table
}

func (v *vectors) Adam(x, m, second, mean, dx engine.Vector, s engine.AdamStep) {
	n := x.Len()
	px, pm, pv, pdx := pointer(x, n), pointer(m, n), pointer(second, n), pointer(dx, n)
	var pmean cu.DevicePtr
	if mean != nil {
		pmean = pointer(mean, n)
	}
	v.device.do(func() {
		vectorAdamKernel.elements(v.device, n, vectorAdamArgs{x: px, m: pm, v: pv, mean: pmean, dx: pdx, n: n, rate: s.Rate,
			beta1: s.Beta1, gain1: 1 - s.Beta1, correct1: 1 / (1 - math.Pow(s.Beta1, float64(s.T))),
			beta2: s.Beta2, gain2: 1 - s.Beta2, correct2: 1 / (1 - math.Pow(s.Beta2, float64(s.T))),
			epsilon: s.Epsilon, average: s.Average, clamp: toInt(s.Clamp)})
	})
}

// samples launches a kernel of vectors.cu over three planes of w×h.
func (k kernel[A]) samples(d *device, w, h int, args A) {
	grid := [3]int{blocks(w, pictureX), blocks(h, pictureY), 3}
	k.launch(d, grid, [3]int{pictureX, pictureY, 1}, 0, args)
}

func (v *vectors) Enlarge(dst, base engine.Vector, a float64, low engine.Vector, w, h int) {
	n, m := (w+1)/2, (h+1)/2
	pd, pb, pl := pointer(dst, 3*w*h), pointer(base, 3*w*h), pointer(low, 3*n*m)
	v.device.do(func() {
		enlargeKernel.samples(v.device, w, h, enlargeArgs{dst: pd, base: pb, a: a, low: pl, w: w, h: h})
	})
}

func (v *vectors) EnlargeAdjoint(dlow, d engine.Vector, w, h int) {
	n, m := (w+1)/2, (h+1)/2
	pl, pd := pointer(dlow, 3*n*m), pointer(d, 3*w*h)
	v.device.do(func() {
		enlargeAdjointKernel.samples(v.device, n, m, enlargeAdjointArgs{dlow: pl, d: pd, w: w, h: h})
	})
}

func (v *vectors) TV(dx, x engine.Vector, weight float64) (value float64) {
	pdx, px := pointer(dx, 3*v.w*v.h), pointer(x, 3*v.w*v.h)
	v.device.do(func() {
		v.tv(pdx, px, weight, v.totals)
		value = v.total()
	})
	return value
}

// tv is TV; its value goes to out.
func (v *vectors) tv(dx, x cu.DevicePtr, weight float64, out cu.DevicePtr) {
	scale := 0. // if all weights are 0
	if v.pairs > 0 {
		scale = 1 / (3 * v.pairs)
	}
	grid := tvGrid(v.w, v.h)
	tvKernel.launch(v.device, grid, [3]int{pictureX, pictureY, 1}, 0,
		tvArgs{dx: dx, x: x, mask: v.mask, w: v.w, h: v.h, rows: tvRows, k: 2 * weight * scale, partial: v.partial})
	v.addUp(1, grid[0]*grid[1]*grid[2], scale, out)
}

func (v *vectors) Gamut(dx, x engine.Vector, weight float64) (value float64) {
	pdx, px := pointer(dx, 3*v.w*v.h), pointer(x, 3*v.w*v.h)
	v.device.do(func() {
		v.gamut(pdx, px, weight, v.totals)
		value = v.total()
	})
	return value
}

// gamut is Gamut; its value goes to out.
func (v *vectors) gamut(dx, x cu.DevicePtr, weight float64, out cu.DevicePtr) {
	n := 3 * v.w * v.h
	gamutKernel.elements(v.device, n, gamutArgs{dx: dx, x: x, n: n, k: 2 * weight / float64(n), partial: v.partial})
	v.addUp(1, vectorGrid(n), 1/float64(n), out)
}

func (v *vectors) Prior(dx, x, prior, w engine.Vector, weight float64) (value float64) {
	p := v.w * v.h
	pdx, px, pp, pw := pointer(dx, 3*p), pointer(x, 3*p), pointer(prior, 3*p), pointer(w, p)
	v.device.do(func() {
		v.prior(pdx, px, pp, pw, weight, v.totals)
		value = v.total()
	})
	return value
}

// prior is Prior; its value goes to out.
func (v *vectors) prior(dx, x, prior, w cu.DevicePtr, weight float64, out cu.DevicePtr) {
	p := v.w * v.h
	priorKernel.elements(v.device, p,
		priorArgs{dx: dx, x: x, prior: prior, weight: w, p: p, k: 2 * weight / float64(p), partial: v.partial})
	v.addUp(1, vectorGrid(p), 1/float64(p), out)
}
