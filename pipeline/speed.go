package pipeline

import "time"

// speed estimates how long the rest of an input takes. A film's first frame takes many times
// longer than each later one, so that the time so far says nothing of them; the plan says how
// they compare, and the time measured, how fast this machine is now.
type speed struct {
	first, later float64   // the plan's seconds for a pass over the first frame, and over each later one
	start        time.Time // when the first one began

	firstEnd  time.Time // when that was painted; zero before
	firstDone float64   // how many paintings were done then
	done      float64   // now
}

// note says how many paintings, passes over frames, are done. A part of one counts as such.
func (s *speed) note(done float64) {
	s.done = max(s.done, done) // the next frame is begun before this one is written and counted
	if s.firstEnd.IsZero() && done >= 1 {
		s.firstEnd, s.firstDone = time.Now(), done
	}
}

// left estimates the seconds that the rest of all paintings takes.
func (s *speed) left(all float64) float64 {
	if s.firstEnd.IsZero() {
		slower := slowness(time.Since(s.start).Seconds(), s.done*s.first, s.first/10)
		return slower * (s.first*(1-s.done) + s.later*(all-1))
	}
	slower := slowness(s.firstEnd.Sub(s.start).Seconds(), s.first+(s.firstDone-1)*s.later, s.first/10)
	// The plan counts for as much as one painting against those measured.
	each := (slower*s.later + time.Since(s.firstEnd).Seconds()) / (1 + s.done - s.firstDone)
	return each * max(0, all-s.done)
}

// slowness is how many times longer than planned the work takes, in seconds; a little of the plan
// is added to both, so that the first steps do not say too much.
func slowness(took, planned, little float64) float64 {
	return (took + little) / (planned + little)
}
