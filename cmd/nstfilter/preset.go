package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"

	"nstfilter/filter"
)

// BeforeResolve overlays the preset that --preset names, wherever it stands: kong
// asks it for the flags that the command line does not give.
func (c *paintCmd) BeforeResolve(k *kong.Context) error {
	name := ""
	for _, p := range k.Path {
		if p.Flag != nil && p.Flag.Name == "preset" {
			name = k.FlagValue(p.Flag).(string)
		}
	}
	if name == "" {
		return nil
	}
	preset, err := loadPreset(name)
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		v, ok := preset[f.Name]
		if !ok {
			return nil, nil
		}
		return v, nil
	}))
	return nil
}

// loadPreset reads a built-in preset, or FILE.json, as values by flag name.
func loadPreset(name string) (map[string]any, error) {
	values, builtin := filter.Presets[name]
	if !builtin {
		if !strings.HasSuffix(name, ".json") {
			known := slices.Sorted(maps.Keys(filter.Presets))
			return nil, fmt.Errorf("--preset %s is none of %s and no .json file%s", name, strings.Join(known, ", "), nearest(name, known))
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--preset %w", err)
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&values); err != nil {
			return nil, fmt.Errorf("--preset %s: not a JSON object of settings: %w", name, err)
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, fmt.Errorf("--preset %s: more than one JSON value", name)
		}
	}
	var known []string
	for _, o := range options(defaults()) {
		if o.name != "preset" {
			known = append(known, o.name)
		}
	}
	preset := map[string]any{}
	for key, v := range values {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("--preset %s: no setting is named %q%s", name, key, nearest(key, known))
		}
		switch v := v.(type) {
		case bool, []any:
			preset[key] = v
		case string, json.Number, int, float64:
			preset[key] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("--preset %s: %q is neither text nor a number, a list, true or false", name, key)
		}
	}
	return preset, nil
}

// nearest offers the name that s may have meant.
func nearest(s string, names []string) string {
	best, distance := "", len(s)/2+1
	for _, n := range names {
		if d := levenshtein.ComputeDistance(s, n); d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}
