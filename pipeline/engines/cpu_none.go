//go:build !cgo

package engines

// cpuDevices returns nil, because the CPU's vector code needs cgo.
func cpuDevices() []Device { return nil }
