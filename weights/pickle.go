package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// unpickle reads a pickle of dictionaries and NumPy float32 arrays. It knows the
// three classes such a pickle names, and runs nothing.
func unpickle(r io.Reader) (any, error) {
	u := pickle.NewUnpickler(r)
	u.FindClass = func(module, name string) (any, error) {
		switch module + "." + name {
		case "numpy.core.multiarray._reconstruct":
			return reconstruct{}, nil
		case "numpy.ndarray":
			return ndarrayClass{}, nil
		case "numpy.dtype":
			return dtypeClass{}, nil
		}
		return nil, fmt.Errorf("the pickle names %s.%s, only NumPy arrays are read", module, name)
	}
	return u.Load()
}

// reconstruct is numpy.core.multiarray._reconstruct: an empty array, to be filled
// by its state.
type reconstruct struct{}

func (reconstruct) Call(args ...any) (any, error) {
	if len(args) == 3 {
		if _, ok := args[0].(ndarrayClass); ok {
			return &ndarray{}, nil
		}
	}
	return nil, errors.New("the pickle reconstructs something that is not numpy.ndarray")
}

type ndarrayClass struct{}

// dtypeClass is numpy.dtype: only float32 is made.
type dtypeClass struct{}

func (dtypeClass) Call(args ...any) (any, error) {
	if len(args) == 0 || args[0] != "f4" {
		return nil, fmt.Errorf("the pickle has an array of type %v, only f4 is read", args)
	}
	return &dtype{}, nil
}

type dtype struct{ littleEndian bool }

// PySetState takes (version, byte order, …).
func (d *dtype) PySetState(state any) error {
	t, ok := state.(*types.Tuple)
	if !ok || t.Len() < 2 || t.Get(1) != "<" {
		return errors.New("the pickle has an array that is not little-endian")
	}
	d.littleEndian = true
	return nil
}

type ndarray struct {
	shape []int
	data  []float32
}

// PySetState takes (version, shape, dtype, Fortran order, bytes).
func (a *ndarray) PySetState(state any) error {
	t, ok := state.(*types.Tuple)
	if !ok || t.Len() != 5 {
		return errors.New("the pickle has an array without the five parts of its state")
	}
	shape, okShape := t.Get(1).(*types.Tuple)
	kind, okKind := t.Get(2).(*dtype)
	raw, okRaw := t.Get(4).([]byte)
	if !okShape || !okKind || !okRaw || !kind.littleEndian || t.Get(3) != false {
		return errors.New("the pickle has an array that is not little-endian float32 in C order")
	}
	n := 1
	for _, v := range *shape {
		d, ok := v.(int)
		if !ok || d < 1 || d > len(raw)/n {
			return fmt.Errorf("the pickle has an array of shape %v and %d bytes", *shape, len(raw))
		}
		a.shape, n = append(a.shape, d), n*d
	}
	if len(raw) != 4*n {
		return fmt.Errorf("the pickle has an array of shape %v and %d bytes", *shape, len(raw))
	}
	a.data = make([]float32, n)
	for i := range a.data {
		a.data[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

// arrayAt follows keys through nested dictionaries to an array of that shape.
func arrayAt(tree any, shape []int, keys ...string) ([]float32, error) {
	for i, key := range keys {
		d, ok := tree.(*types.Dict)
		if ok {
			tree, ok = d.Get(key)
		}
		if !ok {
			return nil, fmt.Errorf("the pickle has no %s", strings.Join(keys[:i+1], "/"))
		}
	}
	a, ok := tree.(*ndarray)
	if !ok || !slices.Equal(a.shape, shape) {
		return nil, fmt.Errorf("%s in the pickle is not an array of shape %v", strings.Join(keys, "/"), shape)
	}
	return a.data, nil
}
