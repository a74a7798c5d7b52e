//go:build !cuda

package pipeline

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/gorgonia"
)

func portable() []device {
	return []device{{name: "gorgonia", list: one("gorgonia"),
		open: func(int, string, int) (engine.Engine, error) { return gorgonia.New(), nil }}}
}
