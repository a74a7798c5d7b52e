//go:build !unix

package pipeline

// PeakMemory is not known here.
func PeakMemory() int64 { return 0 }

// residentMemory is not known here.
func residentMemory() int64 { return 0 }

// freeMemory is not known here.
func freeMemory() int64 { return 0 }
