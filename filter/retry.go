package filter

import "nstfilter/filter/engine"

// attempts is how many times Paint tries if the device runs out of memory, each time with a
// smaller budget.
const attempts = 4

// compile makes an evaluator and remembers its Spec for halveDeviceBudget.
func (f *Filter) compile(s engine.Spec) (engine.Evaluator, error) {
	f.lastSpec = s
	return f.e.Compile(s)
}

// recoverFailure is deferred: it returns the panic of a failed device as an error and drops
// the cached workspace.
func (f *Filter) recoverFailure(err *error) {
	switch r := recover().(type) {
	case nil:
	case engine.Failure:
		f.dropWorkspace()
		*err = r
	default:
		panic(r)
	}
}

// halveDeviceBudget limits evaluators to half of what the latest one took. It returns false
// if the engine cannot take less.
func (f *Filter) halveDeviceBudget() bool {
	f.dropWorkspace()
	s := f.lastSpec
	took := f.e.Memory(s)
	s.Memory = max(took/2, 1)
	f.deviceBudget = s.Memory
	return f.e.Memory(s) < took
}
