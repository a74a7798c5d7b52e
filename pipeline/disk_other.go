//go:build !(linux || darwin || freebsd)

package pipeline

// freeDisk is not known here.
func freeDisk(string) int64 { return 0 }
