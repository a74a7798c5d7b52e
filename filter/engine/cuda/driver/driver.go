//go:build cuda

// Package driver opens NVIDIA's driver when the program runs, so that a program with
// the cuda engine starts on a machine without one.
//
// gorgonia.org/cu links the driver's functions; this package defines them all, as jumps
// to libcuda.so.1, or to the library that NSTFILTER_LIBCUDA names. Import it wherever
// cu is imported, and ask Err before the first call. It also has what cu lacks.
package driver

/*
#cgo CFLAGS: -I${SRCDIR}/include
#cgo LDFLAGS: -ldl
#include "driver.h"
*/
import "C"

import (
	"errors"
	"fmt"
)

// noDevice is CUDA_ERROR_NO_DEVICE.
const noDevice = 100

// Err says why no GPU can be used: nil where the driver is there and has a device.
func Err() error {
	if why := C.GoString(C.driver_open_error()); why != "" {
		return fmt.Errorf("no libcuda.so.1 on this machine: %s", why)
	}
	switch status := C.driver_init_status(); status {
	case 0:
		return nil
	case noDevice:
		return errors.New("the driver says: no device")
	default:
		return fmt.Errorf("the driver says: error %d", status)
	}
}
