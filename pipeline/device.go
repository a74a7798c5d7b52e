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
	open func(threads int) (engine.Engine, error)
}

// devices are listed best first.
var devices = append(native(), device{"gorgonia", func(int) (engine.Engine, error) {
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

// OpenEngine opens a device by its name, or the best for "auto". threads = 0
// takes all processors.
func OpenEngine(name string, threads int) (engine.Engine, error) {
	for _, d := range devices {
		if name != "auto" && name != d.name {
			continue
		}
		e, err := d.open(threads)
		if err != nil {
			return nil, fmt.Errorf("--device %s: %w", d.name, err)
		}
		return e, nil
	}
	return nil, usage("--device %q is not %s", name, strings.Join(Devices(), " or "))
}
