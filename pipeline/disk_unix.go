//go:build linux || darwin || freebsd

package pipeline

import "golang.org/x/sys/unix"

// freeDisk returns the bytes that this user can still write in a folder; 0 if they
// are not known.
func freeDisk(folder string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
