package pipeline

import (
	"fmt"
	"strings"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/gorgonia"
)

// device is one way to compute that this program was built with.
type device struct {
	name string
	open func(isa string, threads int) (engine.Engine, error)
}

// devices are listed best first.
var devices = append(native(), device{"gorgonia", func(isa string, _ int) (engine.Engine, error) {
	if isa != "auto" {
		return nil, usage("--isa %s: only the cpu engine has instruction sets: leave it at auto", isa)
	}
	return gorgonia.New(), nil
}})

// Devices names the engines that this program was built with, best first.
func Devices() []string {
	var names []string
	for _, d := range devices {
		names = append(names, d.name)
	}
	return names
}

// OpenEngine opens a device by its name, or the best for "auto". isa is what
// cpu.NewISA knows, or "auto"; threads = 0 takes all processors.
func OpenEngine(name, isa string, threads int) (engine.Engine, error) {
	for _, d := range devices {
		if name != "auto" && name != d.name {
			continue
		}
		e, err := d.open(isa, threads)
		if err != nil {
			return nil, fmt.Errorf("--device %s: %w", d.name, err)
		}
		return e, nil
	}
	return nil, usage("--device %q is not %s", name, strings.Join(Devices(), " or "))
}
