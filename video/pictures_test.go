package video

import "testing"

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"24": {24, 1}, "24000/1001": {24000, 1001}, "23.976": {24000, 1001}, "29.97": {30000, 1001}, "59.94": {60000, 1001},
		"12.5": {12500000, 1000000}, "1/4": {1, 4},
	} {
		var r, again Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%s: %v, %v, want %v", text, r, err, want)
		}
		if b, err := r.MarshalText(); err != nil || again.UnmarshalText(b) != nil || again != r {
			t.Errorf("%s comes back as %s", text, b)
		}
	}
	for _, text := range []string{"", "0", "-1", "24/0", "a", "24/1.5", "1e9", "NaN", "Inf", "1/2/3"} {
		if r := (Rate{}); r.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}
