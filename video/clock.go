package video

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Clock is a time in a film or a length of it, written 90, 1:30 or 00:01:30.5.
type Clock time.Duration

// Seconds is c as ffmpeg counts.
func (c Clock) Seconds() float64 { return time.Duration(c).Seconds() }

// longestClock is more than any film and far below what overflows.
const longestClock = 1000 * time.Hour

// UnmarshalText reads seconds, minutes:seconds or hours:minutes:seconds, the last
// with up to six decimals.
func (c *Clock) UnmarshalText(b []byte) error {
	wrong := fmt.Errorf("%q is not a time: write 90, 1:30 or 00:01:30.5", b)
	parts := strings.Split(strings.TrimSpace(string(b)), ":")
	if len(parts) > 3 {
		return wrong
	}
	whole, decimals, _ := strings.Cut(parts[len(parts)-1], ".")
	parts[len(parts)-1] = whole
	var seconds int64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil || i > 0 && n > 59 {
			return wrong
		}
		seconds = seconds*60 + int64(n)
	}
	var micros uint64
	if decimals != "" {
		var err error
		if micros, err = strconv.ParseUint((decimals + "000000")[:max(6, len(decimals))], 10, 64); err != nil || len(decimals) > 6 {
			return wrong
		}
	}
	if seconds >= int64(longestClock/time.Second) {
		return wrong
	}
	*c = Clock(time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond)
	return nil
}

// MarshalText writes seconds, as UnmarshalText reads them; 0 is empty.
func (c Clock) MarshalText() ([]byte, error) {
	if c == 0 {
		return nil, nil
	}
	return []byte(c.String()), nil
}

// String is the seconds, with as many decimals as are needed.
func (c Clock) String() string { return strconv.FormatFloat(c.Seconds(), 'f', -1, 64) }
