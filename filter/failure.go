package filter

import "nstfilter/filter/engine"

// attempts is how often a picture is begun where a device runs out of memory, each
// time with less.
const attempts = 4

// compile makes an evaluator and remembers which.
func (f *Filter) compile(s engine.Spec) (engine.Evaluator, error) {
	f.tried = s
	return f.e.Compile(s)
}

// failed, deferred, makes an error of a device's failure and drops what was there.
func (f *Filter) failed(err *error) {
	switch r := recover().(type) {
	case nil:
	case engine.Failure:
		f.Close()
		*err = r
	default:
		panic(r)
	}
}

// lessen gives up half of what the latest evaluator took; false: the engine cannot do with
// less.
func (f *Filter) lessen() bool {
	f.Close()
	s := f.tried
	took := f.e.Memory(s)
	s.Memory = max(took/2, 1)
	f.less = s.Memory
	return f.e.Memory(s) < took
}
