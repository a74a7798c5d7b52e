// Package cpu computes on the processor's vector units: C kernels behind cgo,
// one source compiled for each instruction set and chosen at run time, driven
// by goroutines.
//
// Convolutions and their gradients, but for the first,  are Winograd's F(4×4,3×3) in float32 with
// bias, ReLU, masks and pooling fused into its transforms. Tests hold moments
// and image gradients of small networks within 1e-4 (relative L2) of a direct
// float64 evaluation, and VGG-16's activations within 1e-4 of PyTorch's.
//
// New makes an engine; it needs cgo.
package cpu
