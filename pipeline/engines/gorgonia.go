//go:build !cuda

package engines

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/gorgonia"
)

func portableDevices() []Device {
	return []Device{{Name: "gorgonia", List: listOne("gorgonia"),
		Open: func(int, string, int) (engine.Engine, error) { return gorgonia.New(), nil }}}
}
