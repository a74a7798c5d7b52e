//go:build cuda

package cuda

import (
	"os"
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/driver"
	"nstfilter/filter/engine/enginetest"
)

// needGPU skips a test where there is no GPU, and fails it where there should be one:
// with the test driver.
func needGPU(t *testing.T) {
	t.Helper()
	err := driver.Err()
	switch {
	case err != nil && os.Getenv("NSTFILTER_LIBCUDA") != "":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
}

func newEngine(t *testing.T, isa string) *Engine {
	t.Helper()
	needGPU(t)
	e, err := New(0, isa)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func compile(t *testing.T, e *Engine, s engine.Spec) engine.Evaluator {
	t.Helper()
	ev, err := e.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestSIMT(t *testing.T) { enginetest.Run(t, newEngine(t, "simt"), enginetest.Reference{}) }

// Activations of 16 bits differ from float32's by 2⁻¹⁷, and what is left of the difference
// of two pictures' by a hundred times that.
const tensorTolerance = 1e-3

func TestTensor(t *testing.T) {
	enginetest.RunWithin(t, newEngine(t, "tensor"), enginetest.Reference{}, tensorTolerance)
}
