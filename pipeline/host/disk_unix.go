//go:build linux || darwin || freebsd

package host

import "golang.org/x/sys/unix"

// FreeDisk returns how many bytes this user can still write in a folder, or 0 if it is
// not known.
func FreeDisk(folder string) int64 {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
