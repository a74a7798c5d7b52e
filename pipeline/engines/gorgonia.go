//go:build !cuda

// With cuda Gorgonia would switch on CUDA code of its own, which needs cuDNN.

package engines

import (
	"nstfilter/filter/engine"
	"nstfilter/filter/engine/gorgonia"
)

func init() { add("gorgonia", listOne("gorgonia"), openGorgonia, "choose --device cpu") }

func openGorgonia(int, string, int) (engine.Engine, error) { return gorgonia.New(), nil }
