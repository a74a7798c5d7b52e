package video

import (
	"math"
	"sync"

	"nstfilter/video/samples"
)

// Transfer is the function from a sample to its light.
type Transfer uint8

const (
	SDR Transfer = iota
	PQ           // SMPTE ST 2084, absolute, up to 10000 cd/m²
	HLG          // ARIB STD-B67, relative, here of a display of 1000 cd/m²
)

// The networks were trained on SDR pictures, and HDR samples are too low in contrast for them.
// So HDR is painted as SDR: each of R, G, B is converted to light, and coded for an SDR display
// whose white is HDR's reference white. Nothing is clipped: from the knee up, highlights are
// compressed into the range that is left. The way back is the exact inverse.

const (
	referenceWhite = 203.  // cd/m²: ITU-R BT.2408, table 1
	sdrGamma       = 2.4   // of SDR displays: ITU-R BT.1886
	knee           = 0.85  // of SDR's code; HDR below it becomes SDR without compression
	pqPeak         = 10000 // cd/m² of PQ
	hlgPeak        = 1000. // cd/m² of HLG
	hlgGamma       = 1.2   // HLG's system gamma at that peak, here applied to each channel by itself
)

// pqLight returns the light of a PQ sample in cd/m²: ITU-R BT.2100, table 4.
func pqLight(e float64) float64 {
	e = math.Pow(e, 1/pqM2)
	return pqPeak * math.Pow(max(e-pqC1, 0)/(pqC2-pqC3*e), 1/pqM1)
}

// pqSample is the inverse of pqLight.
func pqSample(light float64) float64 {
	y := math.Pow(light/pqPeak, pqM1)
	return math.Pow((pqC1+pqC2*y)/(1+pqC3*y), pqM2)
}

const (
	pqM1, pqM2       = 2610. / 16384, 2523. / 4096 * 128
	pqC1, pqC2, pqC3 = 3424. / 4096, 2413. / 4096 * 32, 2392. / 4096 * 32
)

// hlgLight returns the light of an HLG sample in cd/m²: ITU-R BT.2100, table 5.
func hlgLight(e float64) float64 {
	scene := e * e / 3
	if e > 0.5 {
		scene = (math.Exp((e-hlgC)/hlgA) + hlgB) / 12
	}
	return hlgPeak * math.Pow(scene, hlgGamma)
}

// hlgSample is the inverse of hlgLight.
func hlgSample(light float64) float64 {
	scene := math.Pow(light/hlgPeak, 1/hlgGamma)
	if scene <= 1./12 {
		return math.Sqrt(3 * scene)
	}
	return hlgA*math.Log(12*scene-hlgB) + hlgC
}

const hlgA, hlgB, hlgC = 0.17883277, 0.28466892, 0.55991073

// shoulder compresses SDR's code, where white is 1, between the knee and the code of the
// brightest light. It is a logarithm whose slope at the knee is 1.
type shoulder struct{ top, a float64 }

func newShoulder(light float64) shoulder {
	s := shoulder{math.Pow(light/referenceWhite, 1/sdrGamma) - knee, 100}
	for range 100 { // (1−knee)·a = ln(1 + a·top), by iteration
		s.a = math.Log1p(s.a*s.top) / (1 - knee)
	}
	return s
}

func (s shoulder) compress(code float64) float64 {
	if code <= knee {
		return code
	}
	return knee + (1-knee)*math.Log1p(s.a*(code-knee))/math.Log1p(s.a*s.top)
}

func (s shoulder) expand(v float64) float64 {
	if v <= knee {
		return v
	}
	return knee + math.Expm1((v-knee)/(1-knee)*math.Log1p(s.a*s.top))/s.a
}

// curves convert coded samples to a frame's samples, and back.
type curves struct{ to, from samples.Curve }

func newCurves(light, sample func(float64) float64) *curves {
	c := new(curves)
	s := newShoulder(light(1))
	for i := range c.to {
		v := min(float64(i)/samples.Knots, 1)
		c.to[i] = float32(s.compress(math.Pow(light(v)/referenceWhite, 1/sdrGamma)))
		c.from[i] = float32(sample(referenceWhite * math.Pow(s.expand(v), sdrGamma)))
	}
	for _, p := range []*samples.Curve{&c.to, &c.from} { // rounding misses the ends
		p[0], p[samples.Knots], p[samples.Knots+1] = 0, 1, 1
	}
	return c
}

var (
	pqCurves  = sync.OnceValue(func() *curves { return newCurves(pqLight, pqSample) })
	hlgCurves = sync.OnceValue(func() *curves { return newCurves(hlgLight, hlgSample) })
)

// curves returns the curves of t, or nil if samples need none.
func (t Transfer) curves() *curves {
	switch t {
	case PQ:
		return pqCurves()
	case HLG:
		return hlgCurves()
	}
	return nil
}
