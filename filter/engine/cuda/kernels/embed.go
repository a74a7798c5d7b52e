//go:build cuda

package kernels

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
)

var (
	//go:embed ampere.ptx.gz
	ampere []byte
	//go:embed base.ptx.gz
	base []byte
	//go:embed tensor.ptx.gz
	tensor []byte
	//go:embed hopper.ptx.gz
	hopper []byte
	//go:embed simt.ptx.gz
	simt []byte
)

// A driver takes seconds to compile them all, so they come in parts: Base is for any GPU
// since Maxwell (sm_52), what multiplies in one of two ways apart.
func Base() string { return unpacked(base) }

// SIMT multiplies on ordinary cores.
func SIMT() string { return unpacked(simt) }

// Tensor is for tensor cores, of Ampere and later (sm_80), without their convolutions.
func Tensor() string { return unpacked(tensor) }

// Ampere is the convolutions by mma.sync (sm_80).
func Ampere() string { return unpacked(ampere) }

// Hopper is the convolutions by wgmma, which Hopper alone has (sm_90a).
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
