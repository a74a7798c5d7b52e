package coherence

import "math"

// restartChange is the change of the styles' shares, in [0,1], that begins a new scene.
const restartChange = 0.5

// A change of the styles' shares by c releases results by releaseRate·c, at most by
// maxRelease. With less the old style stays, with more the picture pops.
const releaseRate, maxRelease = 24, 0.75

// SetShares says in which shares of the styles, which add up to 1, the frame of the
// next Analyze will be painted; nil says that there is one style. While the shares
// change, priors weigh less, because they would keep the old styles; afterwards the
// picture settles like newly visible areas. A change by half or more begins a new
// scene, as a cut does.
func (a *Analyzer) SetShares(shares []float64) {
	change := shareDistance(shares, a.shares)
	a.released *= math.Exp(-1 / a.options.Settle)
	a.released += (1 - a.released) * StyleRelease(shares, a.shares)
	a.shares = shares
	if change > 0 {
		a.older = nil // their results are in the old styles
	}
	if change >= restartChange {
		a.content = nil
	}
}

// Restarts reports whether a change of the styles' shares begins a new scene.
func Restarts(shares, before []float64) bool { return shareDistance(shares, before) >= restartChange }

// StyleRelease returns in [0,1] how far a change of shares releases the results before.
func StyleRelease(shares, before []float64) float64 {
	return min(releaseRate*shareDistance(shares, before), maxRelease)
}

// shareDistance is half the L1 distance of two sets of shares: how much, in [0,1], has
// gone to other styles. It is 0 if before is nil.
func shareDistance(shares, before []float64) (d float64) {
	if before == nil {
		return 0
	}
	for i, v := range shares {
		d += math.Abs(v-before[i]) / 2
	}
	return d
}
