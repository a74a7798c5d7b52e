//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

// maxParams is the most parameters of a kernel.
const maxParams = 32

// defaultShared is how many bytes of dynamic shared memory a launch may have without setting the
// kernel's attribute first.
const defaultShared = 48 << 10

// kernel is the name of a kernel whose parameters are the fields of A, all 8 bytes wide:
// cu.DevicePtr, int (long in the kernel) or float64 (double).
type kernel[A any] string

// function is a kernel, looked up at its first launch.
type function struct {
	cu.Function
	shared int // most bytes of dynamic shared memory
}

// load compiles PTX modules for the GPU in parallel; the driver caches the results on disk. Not
// inside do.
func (d *device) load(modules ...func() string) error {
	all, failed := make([]cu.Module, len(modules)), make([]error, len(modules))
	var wg sync.WaitGroup
	for i, ptx := range modules {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if failed[i] = cu.SetCurrentContext(d.context); failed[i] == nil {
				all[i], failed[i] = cu.LoadData(ptx())
			}
		})
	}
	wg.Wait()
	for i, err := range failed {
		if err == nil {
			d.modules = append(d.modules, all[i])
		}
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("%s: its driver cannot compile the kernels: %w: a newer driver may", d, err)
	}
	return nil
}

// launch puts a kernel on the stream: grid blocks of block threads, with shared bytes of
// dynamic shared memory.
func (k kernel[A]) launch(d *device, grid, block [3]int, shared int, args A) {
	f := d.kernels[string(k)]
	if f == nil {
		f = d.find(string(k))
	}
	if shared > f.shared {
		if err := driver.SetSharedMemory(f.Function, shared); err != nil {
			d.fail(err, "giving "+string(k)+" its shared memory")
		}
		f.shared = shared
	}
	n := copy(d.params[:], unsafe.Slice((*uint64)(unsafe.Pointer(&args)), unsafe.Sizeof(args)/8))
	err := f.Launch(grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, d.stream, d.args[:n])
	if err != nil {
		d.fail(err, "launching "+string(k))
	}
}

// of returns the kernel whose name ends so.
func (k kernel[A]) of(end string) kernel[A] { return k + kernel[A](end) }

// each launches a kernel with one thread per element.
func (k kernel[A]) each(d *device, n int, args A) {
	k.launch(d, [3]int{blocks(n, threads), 1, 1}, [3]int{threads, 1, 1}, 0, args)
}

// find looks a kernel up.
func (d *device) find(name string) *function {
	for _, m := range d.modules {
		f, err := m.Function(name)
		if err != nil {
			continue
		}
		if d.kernels[name] != nil {
			panic("cuda: there are two kernels " + name)
		}
		d.kernels[name] = &function{f, defaultShared}
	}
	if d.kernels[name] == nil {
		panic("cuda: there is no kernel " + name)
	}
	return d.kernels[name]
}

// toInt converts a bool to a kernel's argument.
func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// blocks returns how many blocks of size cover n.
func blocks(n, size int) int { return (n + size - 1) / size }
