// Package cuda is the engine for NVIDIA's GPUs, from compute capability 5.2 on. It is
// built with the tag cuda, and needs the driver (libcuda.so.1) only when New is called:
//
//	e, err := cuda.New(0, "auto")
//
// What multiplies matrices, nearly all of the time, comes in two ways behind one
// interface, products: simt multiplies float32 on ordinary cores, tensor multiplies
// 16-bit numbers, one or two to a value, on tensor cores. All between is written once, over
// fields of either (kernels/common.cuh). Everything runs in order on one stream of the
// GPU; the host waits only where it reads a result.
//
// Tests run on a GPU, or where there is none on a driver that executes the kernels on
// the CPU (testdriver). That one shows that they compute what they should; it says
// nothing of speed, and cannot show what depends on a GPU's timing.
package cuda
