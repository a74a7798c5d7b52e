//go:build linux || darwin || freebsd

package host

import "golang.org/x/sys/unix"

// AddressLimit returns how many bytes of addresses the process may have (ulimit -v), or 0
// if there is no limit or it is not known.
func AddressLimit() int64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &l) != nil || uint64(l.Cur) >= 1<<62 {
		return 0
	}
	return int64(l.Cur)
}
