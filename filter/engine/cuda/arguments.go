//go:build cuda

package cuda

import "gorgonia.org/cu"

// This file lists the kernels and their arguments, which have the order and the names of the
// parameters in the source. A name that ends in _ is the beginning of several kernels' names.

type ptr = cu.DevicePtr

// kernels/content.cu
const (
	contentDeltaKernel kernel[contentDeltaArgs] = "content_delta_" // format
	contentSumKernel   kernel[contentSumArgs]   = "content_sum_"   // format
	addPartialsKernel  kernel[addPartialsArgs]  = "add_partials"
	copyRowsKernel     kernel[copyRowsArgs]     = "copy_rows"
	momentsKernel      kernel[momentsArgs]      = "moments"
)

type contentDeltaArgs struct {
	dHi, dLo, aHi, aLo, tHi, tLo                 ptr
	w, c, x, y, coreW, targetW, targetX, targetY int
}

type contentSumArgs struct {
	dHi, dLo, mdHi, mdLo, share     ptr
	pitch, w, c, x, y, coreW, coreH int
	partial                         ptr
}

type addPartialsArgs struct {
	sum, partial ptr
	n            int
}

type copyRowsArgs struct {
	dst, src              ptr
	n, dstPitch, srcPitch int
}

type momentsArgs struct {
	gram, mean, sums, means ptr
	n, c                    int
	p                       float64
}

// kernels/pool.cu
const (
	poolKernel   kernel[poolArgs]   = "pool_"   // format
	unpoolKernel kernel[unpoolArgs] = "unpool_" // format
)

type poolArgs struct {
	dstHi, dstLo, srcHi, srcLo ptr
	w, h, c, maximum           int
}

type unpoolArgs struct {
	daHi, daLo, dpHi, dpLo, aHi, aLo ptr
	w, h, c, maximum, gate           int
}

// kernels/first.cu and kernels/first_mma.cuh
const (
	firstKernel          kernel[firstArgs]          = "first_f32"
	firstBackKernel      kernel[firstBackArgs]      = "first_back_f32"
	firstBorderKernel    kernel[firstBackArgs]      = "first_border_f32"
	clearMaskedKernel    kernel[clearMaskedArgs]    = "clear_masked"
	splitFirstKernel     kernel[splitFirstArgs]     = "split_first"
	firstSplitKernel     kernel[firstSplitArgs]     = "first_split"
	firstBackSplitKernel kernel[firstBackSplitArgs] = "first_back_split"
)

type firstArgs struct {
	x                     ptr
	width, height, x0, y0 int
	act                   ptr
	w, h, c               int
	u                     ptr
}

type firstBackArgs struct {
	dx                    ptr
	width, height, x0, y0 int
	d                     ptr
	w, h, c               int
	u                     ptr
}

type clearMaskedArgs struct {
	dx, mask ptr
	n        int
}

type splitFirstArgs struct {
	src, units ptr
	out, c     int
	scale      float64
}

type firstSplitArgs struct {
	x                     ptr
	width, height, x0, y0 int
	actHi, actLo          ptr
	w, h, c               int
	packed                ptr
}

type firstBackSplitArgs struct {
	dx                    ptr
	width, height, x0, y0 int
	dHi, dLo              ptr
	w, h, c               int
	packed                ptr
	stages                int
}

// kernels/loss.cu
const (
	styleDeltaKernel    kernel[styleDeltaArgs]    = "style_delta"
	styleGradientKernel kernel[styleGradientArgs] = "style_gradient"
	meanGradientKernel  kernel[meanGradientArgs]  = "mean_gradient"
	matrixProductKernel kernel[matrixProductArgs] = "matrix_product"
)

type styleDeltaArgs struct {
	delta, target, gram ptr
	n, pitch            int
	scale               float64
}

type styleGradientArgs struct {
	grad, product, delta ptr
	n                    int
	scale                float64
	partial              ptr
}

type meanGradientArgs struct {
	grad, target, metric, means ptr
	n                           int
	scale, weight               float64
	value                       ptr
}

type matrixProductArgs struct {
	c, a, b ptr
	n       int
}

// kernels/vectors.cu
const (
	vectorCombineKernel  kernel[vectorCombineArgs]  = "vector_combine"
	vectorDotsKernel     kernel[vectorDotsArgs]     = "vector_dots"
	sumPartialsKernel    kernel[sumPartialsArgs]    = "sum_partials"
	vectorAdamKernel     kernel[vectorAdamArgs]     = "vector_adam"
	enlargeKernel        kernel[enlargeArgs]        = "picture_enlarge"
	enlargeAdjointKernel kernel[enlargeAdjointArgs] = "picture_enlarge_adjoint"
	tvKernel             kernel[tvArgs]             = "picture_tv"
	gamutKernel          kernel[gamutArgs]          = "picture_gamut"
	priorKernel          kernel[priorArgs]          = "picture_prior"
)

type vectorCombineArgs struct {
	y, sum         ptr
	count, wide, n int
}

type vectorDotsArgs struct {
	pairs   ptr
	n       int
	partial ptr
}

type sumPartialsArgs struct {
	partial ptr
	n       int
	scale   float64
	out     ptr
}

type vectorAdamArgs struct {
	x, m, v, mean, dx            ptr
	n                            int
	rate, beta1, gain1, correct1 float64
	beta2, gain2, correct2       float64
	epsilon, average             float64
	clamp                        int
}

type enlargeArgs struct {
	dst, base ptr
	a         float64
	low       ptr
	w, h      int
}

type enlargeAdjointArgs struct {
	dlow, d ptr
	w, h    int
}

type tvArgs struct {
	dx, x, mask ptr
	w, h, rows  int
	k           float64
	partial     ptr
}

type gamutArgs struct {
	dx, x   ptr
	n       int
	k       float64
	partial ptr
}

type priorArgs struct {
	dx, x, prior, weight ptr
	p                    int
	k                    float64
	partial              ptr
}

// Those of simt: kernels/conv.cu, gram.cu, tap.cu and winograd.cu
const (
	convKernel             kernel[convArgs]             = "conv_" // width
	convFilterKernel       kernel[convFilterArgs]       = "conv_filter"
	gramKernel             kernel[gramArgs]             = "gram_" // width
	gramSumKernel          kernel[gramSumArgs]          = "gram_sum"
	packMatrixKernel       kernel[packMatrixArgs]       = "pack_matrix_f32"
	multiplyKernel         kernel[multiplyArgs]         = "multiply_" // width
	addTapKernel           kernel[addTapArgs]           = "add_tap_"  // width
	winogradInputKernel    kernel[winogradInputArgs]    = "winograd_input"
	winogradMultiplyKernel kernel[winogradMultiplyArgs] = "winograd_multiply_" // width
	winogradOutputKernel   kernel[winogradOutputArgs]   = "winograd_output"
	winogradFilterKernel   kernel[winogradFilterArgs]   = "winograd_filter"
)

type convArgs struct {
	dst, src, filter, bias, gate ptr
	h, w, in, out                int
}

type winogradFilterArgs struct {
	u, weights               ptr
	outs, ins, back, in, out int
}

type convFilterArgs struct {
	dst, weights             ptr
	outs, ins, back, in, out int
}

type gramArgs struct {
	sums, a, share                    ptr
	pitch, x, y, w, h, width, c, span int
}

type gramSumArgs struct {
	gram, means, sums ptr
	spans, c, T       int
}

type packMatrixArgs struct {
	dst, src ptr
	n, c     int
	scale    float64
}

type multiplyArgs struct {
	dst, src, m          ptr
	x, y, w, h, width, c int
}

type addTapArgs struct {
	da, act, d, mean                    ptr
	meanScale                           float64
	mdelta                              ptr
	weight                              float64
	share                               ptr
	pitch, x, y, w, h, height, width, c int
}

type winogradInputArgs struct {
	v, src                         ptr
	height, width, c, first, tiles int
}

type winogradMultiplyArgs struct {
	m, v, u        ptr
	tiles, in, out int
}

type winogradOutputArgs struct {
	dst, m, bias, gate             ptr
	height, width, c, first, tiles int
}

// Those of tensor: kernels/tensor.cu, gram_mma.cuh, ampere.cu and hopper.cu
const (
	gramSplitKernel     kernel[gramSplitArgs]     = "gram_split"
	gramJoinKernel      kernel[gramJoinArgs]      = "gram_join"
	multiplySplitKernel kernel[multiplySplitArgs] = "multiply_" // width, then _split
	addTapSplitKernel   kernel[addTapSplitArgs]   = "add_tap_"  // width, then _split
	splitFilterKernel   kernel[splitFilterArgs]   = "split_filter"
	matrixLargestKernel kernel[matrixLargestArgs] = "matrix_largest"
	splitMatrixKernel   kernel[splitMatrixArgs]   = "split_matrix"
	thereKernel         kernel[thereArgs]         = "there_" // width and rows; by wgmma: wgmma_ before it
	backKernel          kernel[backArgs]          = "back_"  // likewise
)

type gramSplitArgs struct {
	hi, lo, shares                              ptr
	pitch, x, y, w, h, width, c, length, stages int
	partial, sums                               ptr
}

type gramJoinArgs struct {
	partial, sums ptr
	parts, c      int
	gram, means   ptr
}

type multiplySplitArgs struct {
	srcHi, srcLo, mHi, mLo, scale, dstHi, dstLo ptr
	x, y, cw, ch, h, w, c, terms, stages        int
}

type addTapSplitArgs struct {
	aHi, aLo, dHi, dLo, scale, daHi, daLo ptr
	x, y, cw, ch                          int
	shares                                ptr
	pitch                                 int
	mean                                  ptr
	meanScale                             float64
	deltaHi, deltaLo                      ptr
	weight                                float64
	h, w, c, terms, stages                int
}

type splitFilterArgs struct {
	src, hi, lo                                  ptr
	out, in, paddedOut, paddedIn, block, N, back int
	scale                                        float64
}

type matrixLargestArgs struct {
	src     ptr
	n       int
	largest ptr
}

type splitMatrixArgs struct {
	src, largest, hi, lo, unscale ptr
	n, padded, block, N           int
	scale                         float64
}

type thereArgs struct {
	srcHi, srcLo, wHi, wLo, bias ptr
	scale                        float64
	dstHi, dstLo                 ptr
	h, w, in, out, terms, stages int
}

type backArgs struct {
	srcHi, srcLo, wHi, wLo, gate, dstHi, dstLo ptr
	h, w, in, out, terms, stages               int
	aHi, aLo, dHi, dLo                         ptr
	dTerms                                     int
	scale, mean                                ptr
	meanScale                                  float64
	deltaHi, deltaLo                           ptr
	weight                                     float64
}
