//go:build cgo && !novips

package photo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

func boolKnob(dst *bool) knob {
	return knob{"true or false", func(s string) bool {
		if s == "" {
			s = "true"
		}
		v, err := strconv.ParseBool(s)
		*dst = v
		return err == nil
	}}
}

func floatKnob(dst *float64, low, high float64) knob {
	return knob{fmt.Sprintf("a number from %g to %g", low, high), func(s string) bool {
		v, err := strconv.ParseFloat(s, 64)
		*dst = v
		return err == nil && !math.IsNaN(v) && low <= v && v <= high
	}}
}

func choiceKnob[T any](dst *T, words map[string]T) knob {
	return knob{strings.Join(slices.Sorted(maps.Keys(words)), " or "), func(s string) bool {
		v, ok := words[s]
		*dst = v
		return ok
	}}
}
