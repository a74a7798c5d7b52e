// Package cpu computes on the processor's vector units: C kernels behind cgo,
// one source compiled for each instruction set and chosen at run time, driven
// by goroutines.
//
// The first convolution is direct, between the planar picture and its activation.
// The others and their gradients are Winograd's F(4×4,3×3) with bias, ReLU, masks
// and pooling fused into the transforms, in float32, or on AVX512-BF16 with
// products of bfloat16. F(6×6) was 2 to 8 % faster than F(4×4) on AVX2, and its
// weights take 1.8 times the memory: not worth it. Pictures too large for the
// memory are evaluated in tiles, exactly. Tests hold moments and image gradients
// of small networks within 1e-4 (relative L2) of a direct float64 evaluation, and
// VGG-16's activations within 1e-4 of PyTorch's.
//
// New makes an engine; it needs cgo.
package cpu
