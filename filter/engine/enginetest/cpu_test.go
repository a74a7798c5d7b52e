//go:build cgo

package enginetest_test

import (
	"testing"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/filter/engine/gorgonia"
)

// TestCPU holds each instruction set of this machine against the definition, and
// the first of them against the autodiff.
func TestCPU(t *testing.T) {
	oracles := []engine.Engine{enginetest.Reference{}, gorgonia.New()}
	for _, isa := range []string{"avx512", "avx2", "neon", "plain", "wide"} {
		t.Run(isa, func(t *testing.T) {
			e, err := cpu.NewISA(isa, 2)
			if err != nil {
				t.Skip(err)
			}
			defer e.Close()
			for _, oracle := range oracles {
				t.Run(oracle.Name(), func(t *testing.T) { enginetest.Run(t, e, oracle) })
			}
			oracles = oracles[:1]
		})
	}
}
