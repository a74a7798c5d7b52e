//go:build linux

package main

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Each damage changes most files, takes the shortest one, and does the same by the same seed.
func TestDamages(t *testing.T) {
	whole := make([]byte, 5000)
	for i := range whole {
		whole[i] = byte(i*7 + i/256)
	}
	for _, d := range damages {
		changed := 0
		for seed := range uint64(50) {
			got := d.do(bytes.Clone(whole), rand.New(rand.NewPCG(seed, 0)))
			if !bytes.Equal(got, d.do(bytes.Clone(whole), rand.New(rand.NewPCG(seed, 0)))) {
				t.Fatalf("%s is not the same twice", d.name)
			}
			if !bytes.Equal(got, whole) {
				changed++
			}
			d.do([]byte{1}, rand.New(rand.NewPCG(seed, 1)))
		}
		if changed < 40 {
			t.Errorf("%s changes %d files of 50", d.name, changed)
		}
	}
}
