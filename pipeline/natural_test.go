package pipeline

import (
	"slices"
	"testing"
)

func TestNatural(t *testing.T) {
	want := []string{
		"", "a/2.png", "a/10.png", "b",
		"frame01", "frame1", "frame1a", // one number: bytes decide
		"frame2.png", "frame2_9", "frame2_10", "frame10.png", "frame18446744073709551616", "frame18446744073709551617", "frames",
		"x0", "x00", "x0y", "x1", "é",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("order %q\nwant  %q", got, want)
	}
}

func FuzzNatural(f *testing.F) {
	f.Add("frame2.png", "frame10.png", "frame02.png")
	f.Add("a1b", "a01c", "a1")
	f.Add("0", "00", "")
	f.Add("1/2", "1-2", "a\xff9")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if natural(a, b) != -natural(b, a) || (natural(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q: %d one way, %d the other", a, b, natural(a, b), natural(b, a))
		}
		if natural(a, b) <= 0 && natural(b, c) <= 0 && natural(a, c) > 0 {
			t.Fatalf("%q ≤ %q ≤ %q, but not the first and the last", a, b, c)
		}
	})
}
