// Package cuda is the engine for NVIDIA's GPUs, from compute capability 5.2 on. It is
// built with the tag cuda, and needs the driver (libcuda.so.1) only when New is called:
//
//	e, err := cuda.New(0, "auto")
//
// Matrix products take nearly all of the time. The interface products has two
// implementations: simt multiplies float32 on ordinary cores, tensor multiplies 16-bit
// numbers, one or two per value, on tensor cores. The other kernels are written once, for
// the fields of both (kernels/common.cuh). Everything runs in order on one stream of the
// GPU, and the host waits only to read a result.
//
// Tests run on a GPU, or without one on a driver that executes the kernels on the CPU
// (testdriver). That driver checks results, but neither speed nor anything that depends on
// a GPU's timing.
package cuda
