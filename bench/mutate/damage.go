//go:build linux

package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// damage is a way to damage a file of at least one byte. It may change data.
type damage struct {
	name string
	do   func(data []byte, r *rand.Rand) []byte
}

var damages = []damage{
	{"flipped bits", func(data []byte, r *rand.Rand) []byte {
		for range 1 + r.IntN(16) {
			at := position(len(data), r)
			data[at] ^= 1 << r.IntN(8)
		}
		return data
	}},
	{"truncated", func(data []byte, r *rand.Rand) []byte { return data[:position(len(data), r)] }},
	{"swapped blocks", func(data []byte, r *rand.Rand) []byte {
		a, b := stretch(len(data), r), stretch(len(data), r)
		x, y := data[a.from:a.to], data[b.from:b.to]
		for i := range min(len(x), len(y)) {
			x[i], y[i] = y[i], x[i]
		}
		return data
	}},
	{"zeroed", func(data []byte, r *rand.Rand) []byte {
		s := stretch(len(data), r)
		clear(data[s.from:s.to])
		return data
	}},
	{"doubled", func(data []byte, r *rand.Rand) []byte {
		s := stretch(len(data), r)
		return slices.Insert(data, s.to, bytes.Clone(data[s.from:s.to])...)
	}},
	{"another number", func(data []byte, r *rand.Rand) []byte { // in text
		digit := func(c byte) bool { return '0' <= c && c <= '9' }
		from := position(len(data), r)
		if i := slices.IndexFunc(data[from:], digit); i >= 0 {
			from += i
		}
		to := from
		for to < len(data) && digit(data[to]) {
			to++
		}
		numbers := []string{"0", "-1", "1", "65536", "2147483648", "9223372036854775807", "1e308", "0.1", "NaN"}
		return slices.Replace(data, from, to, []byte(numbers[r.IntN(len(numbers))])...)
	}},
	{"random bytes", func(data []byte, r *rand.Rand) []byte {
		for range 1 + r.IntN(8) {
			data[position(len(data), r)] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(r.IntN(256))}[r.IntN(6)]
		}
		return data
	}},
}

// position is a random byte of n, every other time one of the first 200, where headers are.
func position(n int, r *rand.Rand) int {
	if r.IntN(2) == 0 {
		n = min(n, 200)
	}
	return r.IntN(n)
}

type span struct{ from, to int }

// stretch is a random range of n bytes.
func stretch(n int, r *rand.Rand) span {
	from := position(n, r)
	return span{from, min(n, from+1+r.IntN([]int{4, 64, 4096}[r.IntN(3)]))}
}
