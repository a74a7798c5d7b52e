package pipeline

import (
	"encoding/json"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// The estimate of what is left, replayed from recordings of a busy machine, whose later frames
// took between 0.3 and 1.9 seconds each. Extrapolation of the time so far says ten times too
// much until some frames are done.
func TestTimeLeft(t *testing.T) {
	data, err := os.ReadFile("testdata/speed.json")
	if err != nil {
		t.Fatal(err)
	}
	var recordings []struct {
		Film         string
		First, Later float64 // of the plan
		Paintings    float64
		Seconds      float64      // that all took
		Done         [][2]float64 // seconds since the plan, and how many paintings were done
	}
	if err := json.Unmarshal(data, &recordings); err != nil {
		t.Fatal(err)
	}
	for _, r := range recordings {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := speed{first: r.First, later: r.Later, start: start}
			if left, want := s.left(r.Paintings), r.First+r.Later*(r.Paintings-1); left != want {
				t.Errorf("%s: %.1f s are left at the start, want the plan's %.1f", r.Film, left, want)
			}
			for _, d := range r.Done {
				time.Sleep(time.Until(start.Add(secondsToDuration(d[0]))))
				s.note(d[1])
				least, most := 0.45, 2.0
				if d[1] >= 4 {
					least, most = 0.6, 1.7
				}
				left, truth := s.left(r.Paintings), r.Seconds-d[0]
				if truth > 2 && (left < least*truth || left > most*truth) {
					t.Errorf("%s: after %.1f s and %.3g of %.0f paintings %.1f s are left, and the estimate is %.1f", r.Film, d[0], d[1], r.Paintings, truth, left)
				}
			}
			if left := s.left(r.Paintings); left != 0 {
				t.Errorf("%s: %.1f s are left at the end", r.Film, left)
			}
		})
	}
}

// A film goes on from an earlier run's result: no frame of it takes as long as the first.
func TestTimeLeftOfTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c inputProgress
		c.begin("clip.mkv", 100, 60)
		c.forecast(50, 2)
		if left, ok := c.remaining(); !ok || left != 80*time.Second {
			t.Errorf("at the start %v, %v", left, ok)
		}
		for range 10 {
			time.Sleep(3 * time.Second) // slower than planned
			c.finishFrame()
		}
		if left, _ := c.remaining(); left < 85*time.Second || left > 95*time.Second {
			t.Errorf("%v after 10 of 40 frames of 3 s", left)
		}
	})
}
