package pipeline

import (
	"testing"
)

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"auto", "2G", "2.5GB", "500m", "1500", "3 K", "1e3M", "0x1p10K", "G"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b, again Bytes
		if b.UnmarshalText([]byte(text)) != nil {
			return
		}
		back, err := b.MarshalText()
		if err == nil {
			err = again.UnmarshalText(back)
		}
		if err != nil || again != b || b < 0 {
			t.Errorf("%q is %d, written %q, read %d: %v", text, b, back, again, err)
		}
	})
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"auto": 0, "2G": 2e9, "2.5GB": 25e8, "500m": 5e8, "1500": 1500, "3 K": 3000} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q: %d, %v; want %d", text, b, err, want)
		}
		back, _ := b.MarshalText()
		var again Bytes
		if err := again.UnmarshalText(back); err != nil || again != want {
			t.Errorf("%q became %q, then %d, %v", text, back, again, err)
		}
	}
	for _, bad := range []string{"", "G", "0", "-1G", "NaN", "inf", "1e300G", "2 giga"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q accepted as %d", bad, b)
		}
	}
}

// Another number of threads or another GPU of the same kind goes on with a job.
func TestUndecisive(t *testing.T) {
	for name, want := range map[string]string{
		"cpu avx2, 16 threads":             "cpu avx2",
		"cpu plain, 1 thread":              "cpu plain",
		"cuda:3 NVIDIA H100, tensor cores": "NVIDIA H100, tensor cores",
		"gorgonia":                         "gorgonia",
	} {
		if got := undecisive.ReplaceAllString(name, ""); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
