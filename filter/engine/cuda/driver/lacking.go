//go:build cuda

package driver

// #include <cuda.h>
// #include "driver.h"
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// failed gives a call's error as cu would, so that it is cu.OutOfMemory, say.
func failed(call string, status C.CUresult) error {
	if status == C.CUDA_SUCCESS {
		return nil
	}
	return fmt.Errorf("%s: %w", call, like(cu.Success, int(status)))
}

// like makes a value of a type that has no name here.
func like[T ~int](_ T, v int) T { return T(v) }

// HostAlloc returns memory of the host that the device copies from and to directly.
// HostFree frees it.
func HostAlloc(bytes int64) (unsafe.Pointer, error) {
	var p unsafe.Pointer
	if err := failed("cuMemHostAlloc", C.cuMemHostAlloc(&p, C.size_t(bytes), 0)); err != nil {
		return nil, err
	}
	return p, nil
}

// HostFree frees what HostAlloc returned.
func HostFree(p unsafe.Pointer) error {
	return failed("cuMemFreeHost", C.cuMemFreeHost(p))
}

// SetSharedMemory lets launches of f ask for up to so many bytes of dynamic shared memory.
// Without it the limit is 48 KiB.
func SetSharedMemory(f cu.Function, bytes int) error {
	return failed("cuFuncSetAttribute", C.cuFuncSetAttribute(*(*C.CUfunction)(unsafe.Pointer(&f)),
		C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(bytes)))
}
