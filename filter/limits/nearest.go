package limits

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the name that s may have meant: one that begins with s or has its letters in
// another order, or that which the fewest changed letters lead to: three at most, and half of s. It returns "" if there is none.
func Nearest(s string, names []string) string {
	text := strings.ToLower(s)
	best, distance := "", max(1, min(3, len(s)/2))+1
	for _, n := range names {
		name := strings.ToLower(n)
		d := levenshtein.ComputeDistance(text, name)
		if len(text) > 2 && (strings.HasPrefix(name, text) || letters(name) == letters(text)) { // half a word, or letters that are swapped
			d = min(d, 1)
		}
		if d < distance {
			best, distance = n, d
		}
	}
	return best
}

// letters returns the letters of s in the order of the alphabet.
func letters(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// Hint is what an error about s ends with if one of the names is near: ; did you mean "gram"?
func Hint(s string, names []string) string {
	best := Nearest(s, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
