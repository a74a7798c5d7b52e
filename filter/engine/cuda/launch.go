//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"gorgonia.org/cu"

	"nstfilter/filter/engine/cuda/driver"
)

// maxParams is the most parameters of a kernel.
const maxParams = 32

// defaultShared is how many bytes of dynamic shared memory a launch may have without setting the
// kernel's attribute first.
const defaultShared = 48 << 10

// kernel is a kernel, looked up at its first launch.
type kernel struct {
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
// dynamic shared memory. Each argument is a cu.DevicePtr, an int (long in the kernel) or
// a float64 (double).
func (d *device) launch(name string, grid, block [3]int, shared int, args ...any) {
	k := d.kernels[name]
	if k == nil {
		k = d.find(name)
	}
	if shared > k.shared {
		if err := driver.SetSharedMemory(k.Function, shared); err != nil {
			d.fail(err, "giving "+name+" its shared memory")
		}
		k.shared = shared
	}
	for i, a := range args {
		switch a := a.(type) {
		case cu.DevicePtr:
			d.params[i] = uint64(a)
		case int:
			d.params[i] = uint64(a)
		case float64:
			d.params[i] = math.Float64bits(a)
		default:
			panic("cuda: an argument of " + name + " is neither cu.DevicePtr nor int nor float64")
		}
	}
	err := k.Launch(grid[0], grid[1], grid[2], block[0], block[1], block[2], shared, d.stream, d.args[:len(args)])
	if err != nil {
		d.fail(err, "launching "+name)
	}
}

// find looks a kernel up.
func (d *device) find(name string) *kernel {
	for _, m := range d.modules {
		f, err := m.Function(name)
		if err != nil {
			continue
		}
		if d.kernels[name] != nil {
			panic("cuda: there are two kernels " + name)
		}
		d.kernels[name] = &kernel{f, defaultShared}
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
