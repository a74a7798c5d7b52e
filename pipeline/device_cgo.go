//go:build cgo

package pipeline

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cpu"
)

func native() []device {
	return []device{{"cpu", func(threads int) (engine.Engine, error) { return cpu.New(threads) }}}
}
