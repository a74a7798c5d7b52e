//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"nstfilter/filter/engine"
	"nstfilter/filter/engine/cuda/driver"
	"nstfilter/weights"
)

// alloc returns uninitialised bytes that live until free; 0 for no bytes. If the GPU has no memory,
// the error wraps engine.ErrMemory.
func (d *device) alloc(what string, bytes int64) (cu.DevicePtr, error) {
	if bytes == 0 {
		return 0, nil
	}
	p, err := cu.MemAlloc(bytes)
	switch {
	case errors.Is(err, cu.OutOfMemory):
		return 0, fmt.Errorf("%s: no memory for %s: %d MiB on top of %d MiB: choose a smaller size: %w",
			d, what, bytes>>20, d.bytes>>20, engine.ErrMemory)
	case err != nil:
		d.fail(err, "allocating "+what)
	}
	d.memory[p] = bytes
	d.bytes += bytes
	return p, nil
}

// mustAlloc is alloc that panics with engine.Failure.
func (d *device) mustAlloc(what string, bytes int64) cu.DevicePtr {
	p, err := d.alloc(what, bytes)
	if err != nil {
		panic(engine.Failure{Err: err})
	}
	return p
}

// put copies v, which is not empty, to newly allocated memory.
func (d *device) put(what string, v []float32) (cu.DevicePtr, error) {
	bytes := 4 * int64(len(v))
	p, err := d.alloc(what, bytes)
	if err == nil {
		d.upload(p, unsafe.Pointer(&v[0]), bytes)
	}
	return p, err
}

// biases of a layer, padded.
func (d *device) biases(l *weights.Layer) (cu.DevicePtr, error) {
	b := make([]float32, padded(l.Out))
	copy(b, l.Bias)
	return d.put("the biases of "+l.Tap(), b)
}

// free frees what alloc returned, inside alone on a lost device too. It panics for anything else.
func (d *device) free(p cu.DevicePtr) {
	if p == 0 {
		return
	}
	bytes, ok := d.memory[p]
	if !ok {
		panic("cuda: freed twice, or never allocated")
	}
	delete(d.memory, p)
	d.bytes -= bytes
	if err := cu.MemFree(p); err != nil && d.lost == nil {
		d.fail(err, "freeing memory")
	}
}

// clear sets bytes to 0.
func (d *device) clear(p cu.DevicePtr, bytes int64) {
	if bytes > 0 {
		d.check(cu.MemsetD8Async(p, 0, bytes, d.stream), "clearing memory")
	}
}

// copy copies within device memory.
func (d *device) copy(dst, src cu.DevicePtr, bytes int64) {
	d.check(cu.MemcpyDtoDAsync(dst, src, bytes, d.stream), "copying its memory")
}

// staging is page-locked host memory: copies from it are faster and asynchronous.
type staging struct {
	p    unsafe.Pointer
	done cu.Event // when p is free again
}

const stagingBytes = 4 << 20

func newStaging() (s staging, err error) {
	if s.p, err = driver.HostAlloc(stagingBytes); err != nil {
		return s, err
	}
	s.done, err = cu.MakeEvent(cu.DisableTiming)
	return s, err
}

func (s *staging) close() {
	cu.DestroyEvent(&s.done)
	driver.HostFree(s.p)
}

func (s *staging) bytes(n int64) []byte { return unsafe.Slice((*byte)(s.p), n) }

// upload copies bytes from the host, in order on the stream. src may change as soon as it
// returns.
func (d *device) upload(dst cu.DevicePtr, src unsafe.Pointer, bytes int64) {
	from := unsafe.Slice((*byte)(src), bytes)
	for i := 0; len(from) > 0; i++ {
		s := &d.staging[i%len(d.staging)]
		d.check(s.done.Synchronize(), "waiting for a copy to it")
		n := int64(copy(s.bytes(stagingBytes), from))
		d.check(cu.MemcpyHtoDAsync(dst, s.p, n, d.stream), "copying to it")
		d.check(s.done.Record(d.stream), "copying to it")
		from, dst = from[n:], dst+cu.DevicePtr(n)
	}
}

// download waits for the stream and copies bytes to the host.
func (d *device) download(dst unsafe.Pointer, src cu.DevicePtr, bytes int64) {
	to := unsafe.Slice((*byte)(dst), bytes)
	begin := func(i, at int64) {
		s := &d.staging[i%2]
		d.check(cu.MemcpyDtoHAsync(s.p, src+cu.DevicePtr(at), min(bytes-at, stagingBytes), d.stream), "copying from it")
		d.check(s.done.Record(d.stream), "copying from it")
	}
	begin(0, 0)
	for i := int64(0); len(to) > 0; i++ {
		if next := (i + 1) * stagingBytes; next < bytes {
			begin(i+1, next)
		}
		s := &d.staging[i%2]
		d.check(s.done.Synchronize(), "waiting for it")
		to = to[copy(to, s.bytes(min(int64(len(to)), stagingBytes))):]
	}
}
