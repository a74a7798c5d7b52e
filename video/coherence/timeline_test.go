package coherence

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestTimeline(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		from    []time.Duration
		weights []float64
		fade    time.Duration
		want    map[time.Duration][]float64 // by time
	}{
		"one": {[]time.Duration{0}, nil, s, map[time.Duration][]float64{-s: {1}, 0: {1}, 9 * s: {1}}},
		"two, faded": {[]time.Duration{0, 10 * s}, nil, 2 * s, map[time.Duration][]float64{
			-s: {1, 0}, 0: {1, 0}, 10 * s: {1, 0}, 10*s + s/2: {1 - 0.15625, 0.15625}, 11 * s: {0.5, 0.5}, 12 * s: {0, 1}, 1000 * s: {0, 1}}},
		"at once":       {[]time.Duration{0, 10 * s}, nil, 0, map[time.Duration][]float64{10*s - 1: {1, 0}, 10 * s: {0, 1}}},
		"in any order":  {[]time.Duration{10 * s, 0}, nil, 0, map[time.Duration][]float64{5 * s: {0, 1}, 10 * s: {1, 0}}},
		"groups":        {[]time.Duration{0, 0, 10 * s, 10 * s}, nil, 0, map[time.Duration][]float64{0: {0.5, 0.5, 0, 0}, 10 * s: {0, 0, 0.5, 0.5}}},
		"weights":       {[]time.Duration{0, 10 * s, 0, 10 * s}, []float64{3, 0, 1, 5}, 0, map[time.Duration][]float64{0: {0.75, 0, 0.25, 0}, 10 * s: {0, 0, 0, 1}}},
		"fades overlap": {[]time.Duration{0, 10 * s, 11 * s}, nil, 2 * s, map[time.Duration][]float64{11 * s: {0.5, 0.5, 0}, 12 * s: {0, 0.5, 0.5}, 13 * s: {0, 0, 1}}},
	} {
		l, err := NewTimeline(c.from, c.weights, c.fade)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Changes() != (name != "one") {
			t.Errorf("%s: changes: %v", name, l.Changes())
		}
		for at, want := range c.want {
			got := l.Shares(at)
			if d := shareDistance(got, want); d > 1e-12 {
				t.Errorf("%s: shares %v at %v, want %v", name, got, at, want)
			}
		}
	}
}

// However many fades there are at a time, the shares stay shares.
func TestSharesAddUp(t *testing.T) {
	l, err := NewTimeline([]time.Duration{0, 1e9, 15e8, 15e8, 2e9}, []float64{1, 2, 3, 4, 5}, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for at := time.Duration(0); at < 5e9; at += 7e7 {
		sum := 0.0
		for _, v := range l.Shares(at) {
			if v < 0 {
				t.Fatalf("a share of %g at %v", v, at)
			}
			sum += v
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("the shares add up to %g at %v", sum, at)
		}
	}
}

func TestTimelineErrors(t *testing.T) {
	for want, c := range map[string]struct {
		from    []time.Duration
		weights []float64
	}{
		"from the film's start": {[]time.Duration{2e9, 3e9}, nil},
		"no style":              {nil, nil},
		"from 2s on":            {[]time.Duration{0, 2e9}, []float64{1, 0}},
	} {
		if _, err := NewTimeline(c.from, c.weights, time.Second); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v: %v; want %q", c.from, c.weights, err, want)
		}
	}
}
