package samples

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// TestRows compares what each loop in C does to the same noise with what Go does:
// bit for bit where neither fuses multiplication and addition.
func TestRows(t *testing.T) {
	tolerance := 0.0
	if runtime.GOARCH != "amd64" {
		tolerance = 1e-6
	}
	for _, n := range []int{1, 2, 3, 7, 8, 17, 33, 64, 1001} {
		for name, c := range all() {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				for k := range run(Go{}, n) {
					what, want, got := run(Go{}, n)[k].name, run(Go{}, n)[k], run(c, n)[k]
					for i := range want.floats {
						a, b := float64(got.floats[i]), float64(want.floats[i])
						if !(math.Abs(a-b) <= tolerance*max(1, math.Abs(b))) {
							t.Fatalf("%s: sample %d is %v, want %v", what, i, a, b)
						}
					}
					for i := range want.bytes {
						if tolerance == 0 && got.bytes[i] != want.bytes[i] {
							t.Fatalf("%s: byte %d is %d, want %d", what, i, got.bytes[i], want.bytes[i])
						}
					}
				}
			})
		}
	}
}

type result struct {
	name   string
	floats []float32
	bytes  []byte
}

// run does every loop on the same noise, and returns all that they wrote.
func run(r Rows, n int) (all []result) {
	random := rand.New(rand.NewPCG(uint64(n), 5))
	noise := func(n int, low, high float32) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = low + (high-low)*random.Float32()
		}
		return s
	}
	raw := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	half := (n + 1) / 2
	keep := func(name string, floats ...[]float32) {
		all = append(all, result{name: name, floats: append([]float32(nil), flat(floats)...)})
	}
	dst := make([]float32, n)
	r.Load8(dst, raw(n), 0.7)
	keep("Load8", dst)
	r.Load16(dst, raw(2*n), 1.5)
	keep("Load16", dst)
	r.Mix(dst, noise(n, 0, 255), noise(n, 0, 255), 0.75)
	keep("Mix", dst)
	r.Centred(dst, noise(half, 0, 255))
	keep("Centred", dst)
	r.Cosited(dst, noise(half, 0, 255))
	keep("Cosited", dst)
	red, g, b := noise(n, 0, 255), noise(n, 0, 1), noise(n, 0, 1)
	r.RGB(red, g, b, noise(n, 0, 255), noise(n, 0, 255), &FromYCC{16, 128, 1. / 219, 1.8 / 224, -0.2 / 224, -0.5 / 224, 2.1 / 224})
	keep("RGB", red, g, b)
	f := noise(n, -0.5, 1.5)
	odd := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), 1}
	copy(f, odd)
	r.Subtract(red, f)
	keep("Subtract", red)
	r.Luma(red, g, b, &ToYCC{0.2126, 0.7152, 0.0722, 0.5389, 0.635})
	keep("Luma", red, g, b)
	sum := noise(half, -1, 1)
	r.AddCentred(sum, red, 0.5)
	keep("AddCentred", sum)
	r.AddCosited(sum, red, 0.25)
	keep("AddCosited", sum)
	low, high := raw(n), raw(2*n)
	r.Add8(low, raw(n), noise(n, -1, 1), 219, 16, 235)
	r.Add16(high, raw(2*n), noise(n, -1, 1), 56064, 4096, 60160)
	all = append(all, result{name: "Add8", bytes: low}, result{name: "Add16", bytes: high})
	c := new(Curve)
	for i := range c {
		c[i] = float32(math.Sqrt(float64(min(i, Knots)) / Knots))
	}
	at := noise(n, 0, 1)
	copy(at, []float32{1, 0, 1. / Knots, math.Nextafter32(1, 0)})
	r.Curve(at, c)
	keep("Curve", at)
	return all
}

func flat(parts [][]float32) (all []float32) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// What Add8 and Add16 owe, in words.
func TestAdd(t *testing.T) {
	for name, r := range all() {
		src := []byte{100, 100, 100, 100, 3, 3, 250, 250}
		change := []float32{0.5, 1.49, -0.5, 500, -9, 20, 9, -20}
		want := []byte{101, 101, 99, 235, 3, 23, 250, 230}
		got, wide := make([]byte, len(src)), make([]byte, 2*len(src))
		r.Add8(got, src, change, 1, 16, 235)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		var src16 []byte
		for _, v := range src {
			src16 = append(src16, v, 0)
		}
		r.Add16(wide, src16, change, 1, 16, 235)
		for i, v := range want {
			if wide[2*i] != v || wide[2*i+1] != 0 {
				t.Errorf("%s: sample %d is %v, want %d", name, i, wide[2*i:2*i+2], v)
			}
		}
	}
}

func TestUnit(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range [][2]float32{
		{0, 0}, {float32(math.Copysign(0, -1)), 0}, {1e-45, 1e-45}, {-1e-45, 0}, {0.25, 0.25}, {-0.25, 0}, {1, 1},
		{math.Nextafter32(1, 0), math.Nextafter32(1, 0)}, {math.Nextafter32(1, 2), 1}, {7, 1}, {-7, 0}, {inf, 1}, {-inf, 0},
		{nan, 0}, {math.Float32frombits(0xffc00000), 0}, {math.Float32frombits(0x7f800001), 0},
	} {
		if got := unit(c[0]); math.Float32bits(got) != math.Float32bits(c[1]) {
			t.Errorf("unit(%g) is %g, want %g", c[0], got, c[1])
		}
	}
}
