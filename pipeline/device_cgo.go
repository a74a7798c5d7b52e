//go:build cgo

package pipeline

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
)

func native() []device {
	return []device{{name: "cpu", isas: []string{"avx512", "avx2", "neon", "plain"}, list: one("cpu"), open: openCPU,
		remedy: "choose --device gorgonia"}}
}

func openCPU(_ int, isa string, threads int) (engine.Engine, error) {
	if isa == "auto" {
		return cpu.New(threads)
	}
	e, err := cpu.NewISA(isa, threads)
	if err != nil {
		return nil, usage("--isa %s: %v", isa, err)
	}
	return e, nil
}
