//go:build cgo

package engines

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
)

func init() { add("cpu", listOne("cpu"), openCPU, "choose --device gorgonia") }

func openCPU(_ int, isa string, threads int) (engine.Engine, error) {
	if isa == "auto" {
		return cpu.New(threads)
	}
	e, err := cpu.NewISA(isa, threads)
	if err != nil {
		return nil, choiceError("--isa %s: %v", isa, err)
	}
	return e, nil
}
