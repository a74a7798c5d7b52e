package coherence

import (
	"slices"
	"testing"
)

// FuzzAges: ages are in ascending order, and written so that they are read as the same.
func FuzzAges(f *testing.F) {
	for _, seed := range []string{"", "1,2,4,8", "8, 1", "-3", "1,,2", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, back Ages
		if a.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, _ := a.MarshalText()
		if err := back.UnmarshalText(written); err != nil || !slices.Equal(a, back) || !slices.IsSorted(a) {
			t.Errorf("%q is read as %v, written as %s, read as %v: %v", text, a, written, back, err)
		}
	})
}
