package pipeline

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A bar is for a terminal that can move its cursor.
func TestBarOnTerminals(t *testing.T) {
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals can be made here: ", err)
	}
	defer control.Close()
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer terminal.Close()
	for _, dumb := range []bool{false, true} {
		r := newReporter("auto", false, dumb, terminal)
		if _, bar := r.(*barReporter); bar == dumb {
			t.Errorf("dumb %v: %T", dumb, r)
		}
		r.close()
	}
}
