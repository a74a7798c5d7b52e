//go:build cuda

package kernels

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

var (
	//go:embed base.ptx.gz
	base []byte
	//go:embed tensor.ptx.gz
	tensor []byte
	//go:embed hopper.ptx.gz
	hopper []byte
)

// Base is for any GPU since Maxwell (sm_52): all but tensor cores.
func Base() string { return unpacked(base) }

// Tensor is for tensor cores, of Ampere and later (sm_80).
func Tensor() string { return unpacked(tensor) }

// Hopper is for the tensor cores of Hopper alone (sm_90a).
func Hopper() string { return unpacked(hopper) }

func unpacked(module []byte) string {
	r, err := gzip.NewReader(bytes.NewReader(module))
	if err != nil {
		panic(err) // it was embedded so
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
