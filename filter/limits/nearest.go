package limits

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the name that s may have meant: the one that begins with s or that the
// fewest changed letters lead to: three at most, and half of s. It returns "" if there is none.
func Nearest(s string, names []string) string {
	text := strings.ToLower(s)
	best, distance := "", max(1, min(3, len(s)/2))+1
	for _, n := range names {
		name := strings.ToLower(n)
		d := levenshtein.ComputeDistance(text, name)
		if len(text) > 2 && strings.HasPrefix(name, text) {
			d = min(d, 1)
		}
		if d < distance {
			best, distance = n, d
		}
	}
	return best
}

// Hint is what an error about s ends with if one of the names is near: ; did you mean "gram"?
func Hint(s string, names []string) string {
	best := Nearest(s, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
