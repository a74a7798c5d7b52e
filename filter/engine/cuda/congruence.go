//go:build cuda

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// A block of productX×productY threads computes a square of productSide elements of a product
// in loss.cu.
const productSide, productX, productY = 32, 16, 8

// squares are buffers for float32 matrices.
type squares struct {
	at   [4]cu.DevicePtr
	side int // of the largest matrix that fits
}

// fit allocates for n×n, unless they fit already. Inside do.
func (q *squares) fit(d *device, n int) {
	if n > q.side {
		q.close(d)
		q.allocate(d.mustAlloc, n)
	}
}

func (q *squares) allocate(alloc alloc, n int) {
	for i := range q.at {
		q.at[i] = alloc("matrices", 4*int64(n)*int64(n))
	}
	q.side = n
}

// close frees them. Inside alone.
func (q *squares) close(d *device) {
	for _, p := range q.at {
		d.free(p)
	}
	*q = squares{}
}

// product does dst = aᵀ·b, all n×n in rows.
func (d *device) product(dst, a, b cu.DevicePtr, n int) {
	side := blocks(n, productSide)
	matrixProductKernel.launch(d, [3]int{side, side, 1}, [3]int{productX, productY, 1}, 0, matrixProductArgs{c: dst, a: a, b: b, n: n})
}

// Congruence does dst = m·x·m.
func (v *vectors) Congruence(dst, m, x []float32, n int) {
	if len(dst) != n*n || len(m) != n*n || len(x) != n*n {
		panic(fmt.Sprintf("cuda: matrices of %d, %d and %d elements that are not %d×%d", len(dst), len(m), len(x), n, n))
	}
	bytes := 4 * int64(n*n)
	v.device.do(func() {
		v.squares.fit(v.device, n)
		pm, px, half, product := v.squares.at[0], v.squares.at[1], v.squares.at[2], v.squares.at[3]
		v.device.upload(pm, unsafe.Pointer(&m[0]), bytes)
		v.device.upload(px, unsafe.Pointer(&x[0]), bytes)
		v.device.product(half, px, pm, n)
		v.device.product(product, pm, half, n)
		styleGradientKernel.elements(v.device, n*n,
			styleGradientArgs{grad: half, product: product, delta: px, n: n, scale: 1, partial: v.partial})
		v.device.download(unsafe.Pointer(&dst[0]), half, bytes)
	})
}
