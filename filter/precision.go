package filter

import "nstfilter/filter/engine"

// precision decides how convolutions multiply; last: at the last scale of a
// picture that has no frame before it, where a viewer looks closest. bfloat16
// forward turns the gradient by a few degrees (other ReLUs fire), which Adam does
// not mind and a line search does; backward only, it turns it by one.
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
