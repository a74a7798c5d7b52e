package main

import (
	"slices"
	"testing"
)

// Options that are given several times are recorded each time, files without their folders.
func TestRecordedFlags(t *testing.T) {
	s := defaultSettings()
	s.Job.Mask, s.Job.StyleMask = "in/m.png", []string{"in/a.png", "in/b.png"}
	want := []string{"--mask=m.png", "--style-mask=a.png", "--style-mask=b.png"}
	got := recordedFlags(s)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if checked, err := checkedFlags(got); err != nil || !slices.Equal(checked, want) {
		t.Errorf("read back: %q, %v", checked, err)
	}
}
