//go:build !cuda || !cgo

package pipeline

import "errors"

var gpus = device{name: "cuda", isas: cudaISAs, remedy: "make build-cuda builds one with it", list: func() ([]string, error) {
	return nil, errors.New("this program was built without it")
}}
