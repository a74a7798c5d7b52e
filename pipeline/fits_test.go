package pipeline

import (
	"errors"
	"strings"
	"testing"
)

// A film is told once that the disk is too small for what is to come, and ends before the disk
// is full.
func TestRoomWatch(t *testing.T) {
	free := int64(1 << 40)
	r := newRoomWatch("out/o.mkv", 1000, 1e6, 5e6)
	r.free = func(folder string) int64 {
		if folder != "out" {
			t.Errorf("it watches %s", folder)
		}
		return free
	}
	expect := func(done int64, warning, failure string) {
		t.Helper()
		got, err := r.check(done, done*1e5)
		if (got == "") != (warning == "") || !strings.Contains(got, warning) {
			t.Errorf("%d frames, %d bytes free: %q", done, free, got)
		}
		if (err == nil) != (failure == "") || err != nil && (!strings.Contains(err.Error(), failure) || !errors.As(err, &noRoomError{})) {
			t.Errorf("%d frames, %d bytes free: %v", done, free, err)
		}
	}
	expect(8, "", "")
	free = 992 * 1.1e6 // as much as they take
	expect(8, "", "")
	free = 1e9
	expect(8, "the 992 frames to come take about 1.1 GB in out, and 1 GB are free", "")
	expect(16, "", "") // said
	free = 2e6 + 5e6 + 64*1e5
	expect(17, "", "")
	free--
	expect(18, "", "no space left")
	free = 2e6 + 5e6 + 3*1e5 // of the three that are left
	expect(997, "", "")
	free--
	expect(997, "", "no space left")
	expect(1000, "", "") // all is written
	free = 0             // not known
	expect(19, "", "")
}
