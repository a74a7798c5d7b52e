//go:build !cgo

package flow

func fastest() kernels { return goKernels{} }
