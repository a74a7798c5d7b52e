//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/driver"
)

// device is one GPU with one stream, on which everything runs in order. Methods must be called
// inside do, unless they say otherwise.
type device struct {
	Info

	mu      sync.Mutex // held by do; of all that follows
	context cu.CUContext
	stream  cu.Stream
	modules []cu.Module
	kernels map[string]*function
	params  [maxParams]uint64
	args    [maxParams]unsafe.Pointer // to params
	staging [2]staging
	memory  map[cu.DevicePtr]int64 // bytes of what is allocated
	bytes   int64                  // their sum
	lost    error                  // what made the device fail
}

// Info describes a GPU.
type Info struct {
	Ordinal      int
	Name         string
	Major, Minor int   // compute capability
	Memory       int64 // bytes
}

// tensorCores reports whether the GPU multiplies bfloat16 on tensor cores.
func (i Info) tensorCores() bool { return i.Major >= 8 }

// minMajor and minMinor are the least compute capability that the kernels support.
const minMajor, minMinor = 5, 2

// Devices lists the GPUs, or returns an error if there is none.
func Devices() ([]Info, error) {
	if err := driver.Err(); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("cuda: counting devices: %w", err)
	}
	var all []Info
	for ordinal := range n {
		i, err := info(ordinal)
		if err != nil {
			return nil, fmt.Errorf("cuda:%d: asking what it is: %w", ordinal, err)
		}
		all = append(all, i)
	}
	return all, nil
}

func info(ordinal int) (i Info, err error) {
	i.Ordinal = ordinal
	d, err := cu.GetDevice(ordinal)
	if err != nil {
		return i, err
	}
	if i.Name, err = d.Name(); err != nil {
		return i, err
	}
	if i.Memory, err = d.TotalMem(); err != nil {
		return i, err
	}
	if i.Major, err = d.Attribute(cu.ComputeCapabilityMajor); err != nil {
		return i, err
	}
	i.Minor, err = d.Attribute(cu.ComputeCapabilityMinor)
	return i, err
}

// open makes a context on a GPU. Not inside do.
func open(ordinal int) (_ *device, err error) {
	all, err := Devices()
	if err != nil {
		return nil, err
	}
	if ordinal < 0 || ordinal >= len(all) {
		return nil, fmt.Errorf("cuda:%d: there is no such device: this machine has %d", ordinal, len(all))
	}
	d := &device{Info: all[ordinal], kernels: make(map[string]*function), memory: make(map[cu.DevicePtr]int64)}
	if d.Major < minMajor || d.Major == minMajor && d.Minor < minMinor {
		return nil, fmt.Errorf("%s: compute capability %d.%d, %d.%d is the least", d, d.Major, d.Minor, minMajor, minMinor)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if d.context, err = cu.Device(ordinal).MakeContext(cu.SchedAuto); err != nil {
		return nil, fmt.Errorf("%s: cannot be opened: %w: does another program hold it?", d, err)
	}
	defer func() {
		if err != nil {
			d.context.Destroy()
		}
	}()
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return nil, fmt.Errorf("%s: making a stream: %w", d, err)
	}
	for i := range d.params {
		d.args[i] = unsafe.Pointer(&d.params[i])
	}
	for i := range d.staging {
		if d.staging[i], err = newStaging(); err != nil {
			return nil, fmt.Errorf("%s: no memory of the host to copy through: %w", d, err)
		}
	}
	return d, nil
}

func (d *device) String() string { return fmt.Sprintf("cuda:%d %s", d.Ordinal, d.Name) }

// do runs f with the GPU's context on one system thread, one call at a time. Failures in f
// panic with engine.Failure. After a failure other than out of memory the device is lost, and
// do panics with the same error at once. f must not call do.
func (d *device) do(f func()) {
	d.alone(func() {
		if d.lost != nil {
			panic(engine.Failure{Err: d.lost})
		}
		f()
	})
}

// alone is do for freeing memory: it also runs f on a lost device.
func (d *device) alone(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil && d.lost == nil {
		d.fail(err, "taking its context")
	}
	f()
}

// check calls fail if err is not nil; doing is the action, as "launching conv".
func (d *device) check(err error, doing string) {
	if err != nil {
		d.fail(err, doing)
	}
}

// fail panics with engine.Failure.
func (d *device) fail(err error, doing string) {
	if errors.Is(err, cu.OutOfMemory) {
		panic(engine.Failure{Err: fmt.Errorf("%s: %s: %w", d, doing, engine.ErrMemory)})
	}
	if d.lost == nil {
		d.lost = fmt.Errorf("%s failed: %s: %w: start again; if it fails again, see what the system's log (dmesg) says of it", d, doing, err)
	}
	panic(engine.Failure{Err: d.lost})
}

// wait waits for the stream.
func (d *device) wait() { d.check(d.stream.Synchronize(), "waiting for it") }

// freeMemory returns the GPU's free memory in bytes, 0 if the device is lost. Not inside do.
func (d *device) freeMemory() (n int64) {
	d.alone(func() {
		if d.lost == nil {
			n, _, _ = cu.MemInfo()
		}
	})
	return n
}

// close frees everything. Not inside do; do must not be called after it.
func (d *device) close() {
	d.alone(func() {
		for i := range d.staging {
			d.staging[i].close()
		}
		// A lost device has freed its memory: every free would fail.
		for p := range d.memory {
			cu.MemFree(p)
		}
		for _, m := range d.modules {
			m.Unload()
		}
		d.stream.Destroy()
		d.context.Destroy()
	})
}
