package limits

import "testing"

func TestNearest(t *testing.T) {
	losses := []string{"gram", "gram+means", "covariance", "image:FILE"}
	for s, want := range map[string]string{
		"gramm": "gram", "gram+": "gram", "GRAM": "gram", "covar": "covariance", "image": "image:FILE", "mgar": "gram", "varianz": "", "x": "", "": "",
	} {
		if got := Nearest(s, losses); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
