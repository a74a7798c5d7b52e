package photo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type namedOption struct{ name, value string }

// parseOptions reads "Q=90,strip". In names, - and _ are the same.
func parseOptions(text string) ([]namedOption, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var all []namedOption
	for _, s := range strings.Split(text, ",") {
		name, value, assigned := strings.Cut(s, "=")
		o := namedOption{strings.ReplaceAll(strings.TrimSpace(name), "_", "-"), strings.TrimSpace(value)}
		if o.name == "" || assigned && o.value == "" {
			return nil, fmt.Errorf("option %q: write name=value, or a name alone to switch it on", s)
		}
		if slices.ContainsFunc(all, func(p namedOption) bool { return p.name == o.name }) {
			return nil, fmt.Errorf("option %s is given twice", o.name)
		}
		all = append(all, o)
	}
	return all, nil
}

// knob is one option of one format, with what sets it.
type knob struct {
	accepts string // for the error
	set     func(string) bool
}

func intKnob(dst *int, low, high int) knob {
	return knob{fmt.Sprintf("a whole number from %d to %d", low, high), func(s string) bool {
		v, err := strconv.Atoi(s)
		*dst = v
		return err == nil && low <= v && v <= high
	}}
}

// setKnobs sets the knobs that text names. Its error for an unknown option lists those that
// exist.
func setKnobs(f pictureFormat, text string, knobs map[string]knob) error {
	options, err := parseOptions(text)
	if err != nil {
		return err
	}
	for _, o := range options {
		k, ok := knobs[o.name]
		if !ok {
			names := slices.Sorted(maps.Keys(knobs))
			if len(names) == 0 {
				return fmt.Errorf("option %s: %s has no options here", o.name, f.name)
			}
			return fmt.Errorf("option %s: %s has only %s", o.name, f.name, strings.Join(names, ", "))
		}
		if !k.set(o.value) {
			return fmt.Errorf("option %s=%s: %s takes %s", o.name, o.value, o.name, k.accepts)
		}
	}
	return nil
}
