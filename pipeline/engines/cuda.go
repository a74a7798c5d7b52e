//go:build cuda && cgo

package engines

import (
	"errors"
	"fmt"
	"strings"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda"
)

func init() {
	add("cuda", listGPUs, openGPU, "see that nvidia-smi lists a GPU, or choose --device cpu")
}

// listGPUs returns lines like cuda:0: NVIDIA L4, compute capability 8.9, 24 GB.
func listGPUs() ([]string, error) {
	infos, err := cuda.Devices()
	switch {
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "cuda: "))
	case len(infos) == 0:
		return nil, errors.New("the driver lists no GPU")
	}
	var list []string
	for _, i := range infos {
		list = append(list, fmt.Sprintf("cuda:%d: %s, compute capability %d.%d, %.2g GB", i.Ordinal, i.Name, i.Major, i.Minor, float64(i.Memory)/1e9))
	}
	return list, nil
}

func openGPU(n int, isa string, _ int) (engine.Engine, error) {
	return cuda.New(n, isa)
}
