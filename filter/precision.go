package filter

import "nstfilter/filter/engine"

// precision decides how convolutions multiply. last means the last scale of a picture that
// does not start from a previous result, where errors are most visible. bfloat16 forward
// turns the gradient by a few degrees, because other ReLUs fire: Adam tolerates that, a line
// search does not. bfloat16 backward alone turns it by about one degree.
func (f *Filter) precision(last bool) engine.Precision {
	switch {
	case f.o.Precision == "bf16":
		return engine.BF16
	case f.o.Precision == "mixed":
		return engine.Mixed
	case f.o.Precision == "fp32" || !hasBF16(f.e) || f.o.Optimizer == "lbfgs":
		return engine.FP32
	case last:
		return engine.Mixed
	}
	return engine.BF16
}

func hasBF16(e engine.Engine) bool {
	m, ok := e.(engine.Precisions)
	return ok && m.HasBF16()
}
