package coherence

import "math"

// afresh is the change of the styles, in [0,1], from which a frame begins anew.
const restartChange = 0.5

// A frame lets go of the past by unsettling times the change of its styles, and by
// atOnce at most. With less the old style stays, with more the picture pops.
const releaseRate, maxRelease = 24, 0.75

// Restyle says by which shares of the styles, which add up to 1, the frame will be
// painted that Look is asked about next. While they change, it is held less to the
// results before, which would keep the old styles there; afterwards it settles as
// newly seen areas do. A change by half or more begins anew, as a cut does. Nil:
// there is one style.
func (l *Analyzer) SetShares(shares []float64) {
	d := shareDistance(shares, l.shares)
	l.unsettled *= math.Exp(-1 / l.o.Settle)
	l.unsettled += (1 - l.unsettled) * styleRelease(shares, l.shares)
	l.shares = shares
	if d > 0 {
		l.older = nil // what they would bring back is in the styles before
	}
	if d >= restartChange {
		l.content = nil
	}
}

// letGo is how far results in the styles before are let go of, in [0,1].
func styleRelease(shares, before []float64) float64 {
	return min(releaseRate*shareDistance(shares, before), maxRelease)
}
