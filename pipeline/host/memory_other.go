//go:build !unix

package host

// PeakMemory returns 0: it is not known here.
func PeakMemory() int64 { return 0 }

// ResidentMemory returns 0: it is not known here.
func ResidentMemory() int64 { return 0 }

// FreeMemory returns 0: it is not known here.
func FreeMemory() int64 { return 0 }
