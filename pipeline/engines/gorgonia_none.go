//go:build cuda

package engines

// portableDevices returns nil, because -tags cuda switches on Gorgonia's own CUDA code
// too, which needs cuDNN.
func portableDevices() []Device { return nil }
