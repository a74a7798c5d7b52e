//go:build !cuda || !cgo

package engines

import "errors"

var gpuDevice = Device{Name: "cuda", ISAs: cudaISAs, Remedy: "make build-cuda builds one with it", List: func() ([]string, error) {
	return nil, errors.New("this program was built without it")
}}
